import { join } from 'node:path'
import { readManifest } from '../../src/openwhisk/manifest'

const read = (name: string) => readManifest(join(__dirname, '..', '..', name), {})

it('differs from manifest.yaml only in the runtime of classify and predict', async () => {
  const { packages } = await read('manifest.yaml')
  const { packages: stock } = await read('manifest.stock.yaml')
  const { classify, predict, ...others } = packages.whisklens?.actions ?? {}
  const onStock = (name: string) => ({
    function: `dist/stock/${name}.zip`,
    runtime: 'nodejs:default',
    docker: undefined,
  })
  const actions = {
    ...others,
    classify: { ...classify, ...onStock('classify') },
    predict: { ...predict, ...onStock('predict') },
  }
  expect(stock).toEqual({ whisklens: { ...packages.whisklens, actions } })
})
