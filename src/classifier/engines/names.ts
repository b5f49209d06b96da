/** The engines there are, best first. */
export const engineNames = ['onnx', 'tfjs-node', 'wasm', 'cpu'] as const
export type EngineName = (typeof engineNames)[number]

/** Stands for the best engine that works. */
export const anyEngine = 'auto'

/** Names that stand for the best of several engines that works: of all, or of TensorFlow.js' own. */
const choices: Record<string, readonly EngineName[]> = {
  [anyEngine]: engineNames,
  tfjs: ['tfjs-node', 'wasm', 'cpu'],
}

/** The engines that a name stands for, best first; undefined where it is that of one. */
export const choiceOf = (name: string): readonly EngineName[] | undefined =>
  Object.hasOwn(choices, name) ? choices[name] : undefined

/** All that an engine may be called in settings. */
export const engineSettings = [...engineNames, ...Object.keys(choices)]

/** The file of a model folder that an engine reads. */
export const fileOf = (engine: EngineName): string => (engine === 'onnx' ? 'model.onnx' : 'model.json')

/** Tells the files of a network that an engine reads from those that only others do. */
export const readBy = (engine: EngineName) => (name: string) => name.endsWith('.onnx') === (engine === 'onnx')
