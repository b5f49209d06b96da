;; The arithmetic of resample.ts. Weights are 16-bit with a fraction of 14 bits, in pairs: [w0 w1] counts two inputs at once.
(module
  (import "env" "memory" (memory 1))

  ;; Narrows rows of RGB pixels.
  (func (export "narrow")
    (param $from i32) (param $stride i32) (param $rows i32)  ;; the first row, bytes from row to row, how many
    (param $starts i32)                                      ;; for each output pixel, bytes from its row's start to its first input
    (param $weights i32) (param $pairs i32)                  ;; for each output pixel, so many pairs
    (param $width i32) (param $to i32)                       ;; output pixels in a row; where they go
    (local $x i32) (local $weight i32) (local $pair i32) (local $input i32) (local $sum v128)
    (loop $eachRow
      (local.set $x (i32.const 0))
      (local.set $weight (local.get $weights))
      (loop $eachPixel
        (local.set $input (i32.add (local.get $from)
          (i32.load (i32.add (local.get $starts) (i32.shl (local.get $x) (i32.const 2))))))
        (local.set $sum (i32x4.splat (i32.const 8192)))
        (local.set $pair (local.get $pairs))
        (loop $eachPair
          ;; red0 red1 green0 green1 blue0 blue1, each of 16 bits
          (local.set $sum (i32x4.add (local.get $sum) (i32x4.dot_i16x8_s
            (i8x16.swizzle (v128.load64_zero (local.get $input))
              (v128.const i8x16 0 -1 3 -1 1 -1 4 -1 2 -1 5 -1 -1 -1 -1 -1))
            (v128.load32_splat (local.get $weight)))))
          (local.set $weight (i32.add (local.get $weight) (i32.const 4)))
          (local.set $input (i32.add (local.get $input) (i32.const 6)))
          (br_if $eachPair (local.tee $pair (i32.sub (local.get $pair) (i32.const 1)))))
        (local.set $sum (i32x4.shr_s (local.get $sum) (i32.const 14)))
        (local.set $sum (i16x8.narrow_i32x4_s (local.get $sum) (local.get $sum)))
        ;; The fourth byte is overwritten by the next pixel.
        (v128.store32_lane 0 (local.get $to) (i8x16.narrow_i16x8_u (local.get $sum) (local.get $sum)))
        (local.set $to (i32.add (local.get $to) (i32.const 3)))
        (br_if $eachPixel (i32.lt_u (local.tee $x (i32.add (local.get $x) (i32.const 1))) (local.get $width))))
      (local.set $from (i32.add (local.get $from) (local.get $stride)))
      (br_if $eachRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  ;; One row of bytes out of several: eight at a time, so that up to seven more are written.
  (func (export "blend")
    (param $from i32) (param $stride i32)    ;; the first row, bytes from row to row
    (param $weights i32) (param $pairs i32)
    (param $bytes i32) (param $to i32)
    (local $end i32) (local $weight i32) (local $pair i32) (local $input i32)
    (local $low v128) (local $high v128) (local $two v128) (local $both v128)
    (local.set $end (i32.add (local.get $from) (local.get $bytes)))
    (loop $eachEight
      (local.set $low (i32x4.splat (i32.const 8192)))
      (local.set $high (local.get $low))
      (local.set $input (local.get $from))
      (local.set $weight (local.get $weights))
      (local.set $pair (local.get $pairs))
      (loop $eachPair
        (local.set $both (v128.load32_splat (local.get $weight)))
        (local.set $two (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23
          (v128.load64_zero (local.get $input))
          (v128.load64_zero (i32.add (local.get $input) (local.get $stride)))))
        (local.set $low (i32x4.add (local.get $low)
          (i32x4.dot_i16x8_s (i16x8.extend_low_i8x16_u (local.get $two)) (local.get $both))))
        (local.set $high (i32x4.add (local.get $high)
          (i32x4.dot_i16x8_s (i16x8.extend_high_i8x16_u (local.get $two)) (local.get $both))))
        (local.set $input (i32.add (local.get $input) (i32.shl (local.get $stride) (i32.const 1))))
        (local.set $weight (i32.add (local.get $weight) (i32.const 4)))
        (br_if $eachPair (local.tee $pair (i32.sub (local.get $pair) (i32.const 1)))))
      (local.set $two (i16x8.narrow_i32x4_s
        (i32x4.shr_s (local.get $low) (i32.const 14)) (i32x4.shr_s (local.get $high) (i32.const 14))))
      (v128.store64_lane 0 (local.get $to) (i8x16.narrow_i16x8_u (local.get $two) (local.get $two)))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (br_if $eachEight (i32.lt_u (local.tee $from (i32.add (local.get $from) (i32.const 8))) (local.get $end))))))
