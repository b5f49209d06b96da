import { sharp } from '../decode-sharp'

/**
 * The EXIF block of a HEIC image. sharp reads the file's boxes, though it cannot decode their pixels.
 * @returns undefined where there is none, or no sharp
 */
export const heicExif = async (bytes: Uint8Array): Promise<Uint8Array | undefined> =>
  sharp?.(bytes)
    .metadata()
    .then(
      ({ exif }) => exif,
      () => undefined,
    )
