import { NetworkBuilder, ofFloats, ofIntegers } from './builder'
import { inputsOf, type Network } from './graph'

/** ImageNet's, without the background. */
const classes = 1000

/**
 * A MobileNet as @tensorflow-models/mobilenet takes it: ending in logits, the first of them for the background. The
 * library drops that one and has a softmax of its own. One that ends in a softmax is of ImageNet's classes alone.
 */
export function asMobileNet(network: Network): Network {
  const softmax = network.topology.node.find(({ op }) => op === 'Softmax')
  if (!softmax) return network
  const [logits = ''] = inputsOf(softmax)
  const graph = new NetworkBuilder(network)
  const shape = graph.constant('mobilenet/shape', [2], Int32Array.of(-1, classes))
  const flat = graph.add('mobilenet/logits', 'Reshape', [logits, shape], {
    ...ofFloats,
    ...ofIntegers('Tshape'),
  })
  const paddings = graph.constant('mobilenet/paddings', [2, 2], Int32Array.of(0, 0, 1, 0))
  const output = graph.add('mobilenet/with_background', 'Pad', [flat, paddings], {
    ...ofFloats,
    ...ofIntegers('Tpaddings'),
  })
  return graph.network(network.size, output, [classes + 1])
}
