import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'

/** The gallery's script and style sheet, which `src/web/page.ts` puts into the page. */
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

/** Writes {@link galleryFiles}. @returns what they are made of: paths below the repository's root */
export async function buildGallery(outdir: string): Promise<string[]> {
  const { metafile } = await build({ ...options, outdir, metafile: true })
  return Object.keys(metafile.inputs)
}
