/** All engines, best first. */
export const engineNames = ['onnx', 'tfjs-node', 'wasm', 'cpu'] as const
export type EngineName = (typeof engineNames)[number]

/** The best engine that is usable. */
export const anyEngine = 'auto'

/** Names that select the best of several engines: of all, or of those with TensorFlow.js. */
const choices: Record<string, readonly EngineName[]> = {
  [anyEngine]: engineNames,
  tfjs: ['tfjs-node', 'wasm', 'cpu'],
}

/** Candidates of a name, best first; undefined for the name of an engine. */
export const choiceOf = (name: string): readonly EngineName[] | undefined =>
  Object.hasOwn(choices, name) ? choices[name] : undefined

/** All values of the engine setting. */
export const engineSettings = [...engineNames, ...Object.keys(choices)]

/** File of a model folder that an engine reads. */
export const fileOf = (engine: EngineName): string => (engine === 'onnx' ? 'model.onnx' : 'model.json')

/** Selects the network files of an engine. */
export const readBy = (engine: EngineName) => (name: string) => name.endsWith('.onnx') === (engine === 'onnx')
