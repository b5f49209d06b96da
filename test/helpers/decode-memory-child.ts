// Decodes each given file separately; prints size or error, and estimated and measured memory, as JSON Lines.
import { readFileSync } from 'node:fs'
import { decodeImage } from '../../src/classifier/decode'
import { decodeBytes, type HeicHeader } from '../../src/classifier/decode-memory'
import { sharp } from '../../src/classifier/decode-sharp'
import { kindOf } from '../../src/classifier/signature'
import { peakBytes, resetPeak, residentBytes } from './memory'

const input = { size: 224, resizeShortSide: 256, kernel: 'cubic', mean: 127, std: 128 } as const

async function main(): Promise<void> {
  const [warmUp = '', ...files] = process.argv.slice(2)
  for (let i = 0; i < 5; i++) await decodeImage(readFileSync(warmUp), input)
  for (const file of files) {
    const bytes = readFileSync(file)
    const isHeic = kindOf(bytes)?.format === 'heic'
    const header = isHeic ? undefined : await sharp?.(bytes, { limitInputPixels: false }).metadata()
    resetPeak()
    const before = residentBytes()
    const outcome = await decodeImage(bytes, input).then(
      ({ width, height }) => ({ width, height }),
      ({ code, message }) => ({ code, message }),
    )
    const heic = { format: 'heic', autoOrient: outcome, isPlain: true } as HeicHeader
    const estimate = header || 'width' in outcome ? decodeBytes(header ?? heic) : 0
    console.log(JSON.stringify({ ...outcome, estimate, grown: peakBytes() - before }))
  }
}

main().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
