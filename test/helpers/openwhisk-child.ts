// An empty OpenWhisk, like a new cluster: the local mode's API host alone. Prints its URL. Arguments: data folder,
// port, auth, "openwhisk" for the limits of a real server, the URL by which actions reach it.
import { join } from 'node:path'
import { generousLimits, openwhiskLimits } from '../../src/local/host/limits'
import { startApiHost } from '../../src/local/host/server'

const root = join(__dirname, '..', '..')
// Contents of the Dockerfile's image.
const modules = { WHISKLENS_HOME: root, NODE_PATH: join(root, 'node_modules') }
const [dataDir = '', port = '0', auth = '', limits, publicUrl] = process.argv.slice(2)

startApiHost({
  dataDir,
  port: Number(port),
  auth,
  namespace: 'guest',
  publicUrl: publicUrl || undefined,
  limits: limits === 'openwhisk' ? openwhiskLimits : generousLimits,
  runtime: join(root, 'dist', 'runtime.cjs'),
  images: (image): Record<string, string> => (image === undefined ? {} : modules),
}).then(
  ({ url, close }) => {
    process.once('SIGTERM', close)
    console.log(url)
  },
  (thrown) => {
    console.error(thrown)
    process.exitCode = 1
  },
)
