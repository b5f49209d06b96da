import { InvalidInputError } from '../errors'
import type { WeightSpec } from '../model-folder/graph-model'
import { type GraphNode, type Network, outputsOf, textsAttribute } from './graph'
import { attributeKinds, savedModelType } from './saved-model-proto'
import { type Weight, weightsOf } from './weights'

/*
 * Converts a TensorFlow.js graph to a SavedModel, which TensorFlow runs in one session. model.json already has GraphDef as JSON.
 * Float32 weights are inputs of the graph, fed from the shards of model.json: TensorFlow would copy constants at each rewrite of the
 * graph, 200 MB for 18 MB of weights.
 */

/** GraphDef version written by TensorFlow 2. */
const graphVersion = 1000

type Attributes = GraphNode['attr']

/** Attributes of fused nodes only. */
const fusionAttributes = [
  'num_args',
  'num_host_args',
  'fused_ops',
  'epsilon',
  'leakyrelu_alpha',
  'TArgs',
  'filter_format',
]

const unfused: Record<string, string> = {
  _FusedConv2D: 'Conv2D',
  FusedDepthwiseConv2dNative: 'DepthwiseConv2dNative',
  _FusedMatMul: 'MatMul',
}

/**
 * Splits a fused operation; TensorFlow fuses it again as suits the machine. The last part keeps its name.
 */
function unfuse(node: GraphNode): GraphNode[] {
  const op = unfused[node.op]
  if (!op) return [node]
  const [image = '', kernel = '', ...rest] = node.input
  const steps = textsAttribute(node, 'fused_ops')
  const own = Object.entries(node.attr).filter(([key]) => !fusionAttributes.includes(key))
  const nameAfter = (step: number) => (step === steps.length ? node.name : `${node.name}/unfused_${step}`)
  const alpha = node.attr.leakyrelu_alpha
  return [
    { name: nameAfter(0), op, input: [image, kernel], attr: Object.fromEntries(own) },
    ...steps.map((step, index) => ({
      name: nameAfter(index + 1),
      op: step,
      input: [nameAfter(index), ...(step === 'BiasAdd' ? rest.slice(0, 1) : [])],
      attr: { T: { type: 'DT_FLOAT' }, ...(step === 'LeakyRelu' && alpha && { alpha }) } as Attributes,
    })),
  ]
}

/** Activation with a slope per channel; an operation only in TensorFlow.js. */
const onlyInTensorFlowJs = 'Prelu'

const shapeOf = (lengths: number[]) => ({ dim: lengths.map((size) => ({ size })) })

const types: Partial<Record<WeightSpec['dtype'], string>> = {
  float32: 'DT_FLOAT',
  int32: 'DT_INT32',
  bool: 'DT_BOOL',
}

/** Whether a weight is an input of the SavedModel. Others are few and small, and TensorFlow needs their values. */
const isFloat32 = ({ dtype }: Pick<WeightSpec, 'dtype'>): boolean => dtype === 'float32'

function ofWeight(name: string, weight: Weight | undefined): GraphNode {
  const dtype = weight && types[weight.dtype]
  if (!weight || !dtype) throw new InvalidInputError('bad_model', `The node ${name} has no weight`)
  const shape = shapeOf(weight.shape)
  if (isFloat32(weight))
    return { name, op: 'Placeholder', input: [], attr: { dtype: { type: dtype }, shape: { shape } } }
  const tensor = { dtype, tensorShape: shape, tensorContent: weight.bytes }
  return { name, op: 'Const', input: [], attr: { dtype: { type: dtype }, value: { tensor } } }
}

/** @throws InvalidInputError for an operation that cannot be written */
function check({ name, op, attr }: GraphNode): void {
  if (op === onlyInTensorFlowJs)
    throw new InvalidInputError('model_unsupported', `TensorFlow has no operation ${op} (${name})`)
  for (const [key, value] of Object.entries(attr)) {
    if (Object.keys(value).every((kind) => attributeKinds.has(kind))) continue
    throw new InvalidInputError(
      'model_unsupported',
      `A SavedModel does not support ${key} of the operation ${op} (${name})`,
    )
  }
}

const endpoints = (names: string[]) =>
  Object.fromEntries(
    names.map((name) => [name, { name: `${name}:0`, dtype: 'DT_FLOAT', tensorShape: { unknownRank: true } }]),
  )

/**
 * Encodes `saved_model.pb`: one signature, with the graph's inputs and its float32 weights by name.
 * @throws InvalidInputError if TensorFlow lacks an operation, or a weight is missing
 */
export function toSavedModel(network: Network): Uint8Array {
  const weights = new Map(weightsOf(network).map((weight) => [weight.name, weight]))
  const outputs = outputsOf(network)
  const node = network.topology.node.flatMap((node) =>
    node.op === 'Const' ? ofWeight(node.name, weights.get(node.name)) : unfuse(node),
  )
  node.forEach(check)
  const inputs = node.filter(({ op }) => op === 'Placeholder')
  const message = savedModelType.fromObject({
    savedModelSchemaVersion: 1,
    metaGraphs: [
      {
        metaInfoDef: { tags: ['serve'] },
        graphDef: { node, versions: { producer: graphVersion } },
        signatureDef: {
          serving_default: {
            inputs: endpoints(inputs.map(({ name }) => name)),
            outputs: endpoints(outputs),
            methodName: 'tensorflow/serving/predict',
          },
        },
      },
    ],
  })
  return savedModelType.encode(message).finish()
}
