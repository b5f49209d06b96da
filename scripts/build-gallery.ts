import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'

/** Script and style sheet of the gallery, which `src/web/page.ts` inlines. */
export const galleryFiles = ['gallery.js', 'gallery.css']

const options = {
  absWorkingDir: join(__dirname, '..'),
  entryPoints: { gallery: 'src/web/gallery/main.tsx' },
  tsconfig: 'src/web/gallery/tsconfig.json',
  bundle: true,
  platform: 'browser',
  target: ['chrome110', 'firefox115', 'safari16.4'],
  format: 'esm',
  minify: true,
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'warning',
} satisfies BuildOptions

/** Builds {@link galleryFiles}. @returns the input files, relative to the repository */
export async function buildGallery(outdir: string): Promise<string[]> {
  const { metafile } = await build({ ...options, outdir, metafile: true })
  return Object.keys(metafile.inputs)
}
