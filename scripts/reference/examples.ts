import type { BatchSummary, ImageRecord } from '../../src/schema'

/*
 * Example documents used on several pages.
 */

export const exampleRecord: ImageRecord = {
  schema: 'whisklens.record/1',
  bucket: 'images',
  key: 'photos/cat.jpg',
  etag: 'd2c1b8f5c0a14f0e9d3e2f1a0b9c8d7e',
  size: 47134,
  lastModified: '2026-11-22T07:29:58.000Z',
  model: 'efficientnet-lite0-int8@dbd1980a',
  engine: 'onnx',
  status: 'ok',
  labels: [
    { label: 'tiger cat', className: 'tiger cat', wordnetId: 'n02123159', index: 282, probability: 0.3666 },
    {
      label: 'Egyptian cat',
      className: 'Egyptian cat',
      wordnetId: 'n02124075',
      index: 285,
      probability: 0.3552,
    },
    {
      label: 'tabby',
      className: 'tabby, tabby cat',
      wordnetId: 'n02123045',
      index: 281,
      probability: 0.1749,
    },
    { label: 'lynx', className: 'lynx, catamount', wordnetId: 'n02127052', index: 287, probability: 0.0266 },
    {
      label: 'window screen',
      className: 'window screen',
      wordnetId: 'n04589890',
      index: 904,
      probability: 0.0014,
    },
  ],
  width: 451,
  height: 300,
  format: 'jpeg',
  exif: { takenAt: '2026-05-01T10:11:12+02:00', camera: 'Canon EOS R5' },
  thumbnail: {
    key: 'thumbnails/images/0b54c1d2e3f405162738495a6b7c8d9e.webp',
    width: 320,
    height: 213,
    bytes: 13984,
  },
  timings: { download: 6, decode: 9, infer: 21 },
  activationId: '4f2c9e1ab0d34c7e9c9e1ab0d34c7e5a',
  at: '2026-11-22T07:30:04.512Z',
}

export const errorRecord: ImageRecord = {
  schema: 'whisklens.record/1',
  bucket: 'images',
  key: 'photos/broken.jpg',
  etag: '7c4a8d09ca3762af61e59520943dc264',
  size: 1024,
  lastModified: '2026-11-22T07:29:59.000Z',
  model: 'efficientnet-lite0-int8@dbd1980a',
  engine: 'onnx',
  status: 'error',
  labels: [],
  width: null,
  height: null,
  format: null,
  error: { code: 'image_corrupt', message: 'The JPEG image is cut off', retryable: false, attempts: 1 },
  timings: { download: 5, decode: 2, infer: 0 },
  activationId: '4f2c9e1ab0d34c7e9c9e1ab0d34c7e5a',
  at: '2026-11-22T07:30:04.540Z',
}

export const exampleSummary: BatchSummary = {
  schema: 'whisklens.summary/1',
  batch: '20261122-073000-a1b2c3',
  state: 'complete',
  model: 'efficientnet-lite0-int8@dbd1980a',
  engine: 'onnx',
  totals: { listed: 1200, planned: 1000, skipped: 200, ok: 999, error: 1, pending: 0 },
  labels: [
    { label: 'tabby', count: 420 },
    { label: 'beagle', count: 310 },
  ],
  errors: { image_corrupt: 1 },
  timings: {
    p50: { download: 6, decode: 9, infer: 21 },
    p95: { download: 14, decode: 30, infer: 34 },
  },
  imagesPerSecond: 48.3,
  containers: 4,
  gbSeconds: 22.6,
  cost: 0.000384,
  pricePerGbSecond: 0.000017,
  throttles: 0,
  exact: true,
  startedAt: '2026-11-22T07:30:00.104Z',
  endedAt: '2026-11-22T07:30:20.790Z',
}
