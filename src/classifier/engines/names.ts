/** The engines there are, best first. */
export const engineNames = ['onnx', 'native', 'wasm', 'cpu'] as const
export type EngineName = (typeof engineNames)[number]

/** Stands for the best engine that works. */
export const anyEngine = 'auto'

/** The file of a model folder that an engine reads. */
export const fileOf = (engine: EngineName): string => (engine === 'onnx' ? 'model.onnx' : 'model.json')
