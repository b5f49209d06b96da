/*
 * What passes between actions and is kept in buckets. A file for each subject.
 */
export * from './image'
export {
  ageOf,
  ageSchema,
  batchIdSchema,
  type ExifOption,
  exifOptionSchema,
} from './parameters'
export * from './piece'
export * from './record'
export * from './request'
export * from './summary'
