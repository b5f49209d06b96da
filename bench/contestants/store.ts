// The embedded object store in its own process. Argument: its folder.
import { startObjectStore } from '../../src/local/store/server'
import { serve } from './serve'

async function main(): Promise<void> {
  const [dataDir = ''] = process.argv.slice(2)
  const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' }
  const { endpoint } = await startObjectStore({ dataDir, port: 0, region: 'us-east-1', credentials })
  serve({ settings: () => ({ s3Endpoint: endpoint, s3AccessKeyId: 'bench', s3SecretAccessKey: 'bench' }) })
}

void main()
