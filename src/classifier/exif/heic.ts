import { sharp } from '../decode-sharp'

/**
 * EXIF block of a HEIC image. sharp reads the container, although it cannot decode the pixels.
 * @returns undefined without one, or without sharp
 */
export const heicExif = async (bytes: Uint8Array): Promise<Uint8Array | undefined> =>
  sharp?.(bytes)
    .metadata()
    .then(
      ({ exif }) => exif,
      () => undefined,
    )
