import { selectsKey } from '../../src/batch/state/filters'
import { imageExtensions, imageFormatOf, imageFormats, imageType } from '../../src/image-formats'
import { isImageName } from '../../src/library/sources/image-names'

it('tells images by their extension in any case', () => {
  expect(
    ['a.JPeG', 'b.tiff', 'c.avif', 'd.HEIC', '2026/e.HIF', 'f.svg', 'jpg', 'jpg/g'].map(imageType),
  ).toEqual([
    'image/jpeg',
    'image/tiff',
    'image/avif',
    'image/heic',
    'image/heif',
    undefined,
    undefined,
    undefined,
  ])
})

it.each(imageExtensions)('.%s is an image for folders and filters', (extension) => {
  const name = `photo.${extension}`
  expect(isImageName(name)).toBe(true)
  const matching = imageFormats.filter((format) => selectsKey({ format })(name))
  expect(matching).toEqual([imageFormatOf(name)])
})
