import * as z from 'zod'

/** A layer as written by Keras 2 and TensorFlow.js. */
const layerSchema = z.looseObject({
  class_name: z.string(),
  /** Layers of sequential models have their name in the config. */
  name: z.string().optional(),
  config: z.union([z.looseObject({ name: z.string().optional() }), z.array(z.unknown())]),
  /** Inputs per use of the layer: layer name, index of its use, index of its output. */
  inbound_nodes: z.array(z.array(z.tuple([z.string(), z.int(), z.int()], z.unknown()))).default([]),
})
export type LayerJson = z.infer<typeof layerSchema>

const modelKinds = ['Sequential', 'Model', 'Functional'] as const

/** A model, or a nested one. */
export const modelSchema = z.object({
  class_name: z.enum(modelKinds, `expected one of ${modelKinds.join(', ')}`),
  config: z.union([
    z.object({
      layers: z.array(layerSchema).min(1),
      input_layers: z.array(z.tuple([z.string()], z.unknown())).optional(),
      output_layers: z.array(z.tuple([z.string()], z.unknown())).optional(),
    }),
    // Sequential models before Keras 2.2.3.
    z
      .array(layerSchema)
      .min(1)
      .transform((layers) => ({ layers, input_layers: undefined, output_layers: undefined })),
  ]),
})
export type ModelTopology = z.infer<typeof modelSchema>

export const isModel = ({ class_name }: LayerJson): boolean => modelKinds.some((kind) => kind === class_name)

/** Topology of a layers model, with or without Keras' training config around it. */
export const topologySchema = z.union([
  z.looseObject({ model_config: modelSchema }).transform(({ model_config }) => model_config),
  modelSchema,
])
