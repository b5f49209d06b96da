import { NetworkBuilder, ofFloats, ofIntegers } from './builder'
import { inputsOf, type Network } from './graph'

/** ImageNet classes, without the background. */
const classes = 1000

/**
 * Converts a MobileNet for @tensorflow-models/mobilenet, which expects logits, the first for the background, drops that one and
 * applies its own softmax. A network ending in softmax has ImageNet's classes only.
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
