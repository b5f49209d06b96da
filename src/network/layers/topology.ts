import * as z from 'zod'

/** One layer as Keras 2 and TensorFlow.js write it. */
const layerSchema = z.looseObject({
  class_name: z.string(),
  /** Sequential models of layers have their names inside. */
  name: z.string().optional(),
  config: z.union([z.looseObject({ name: z.string().optional() }), z.array(z.unknown())]),
  /** For each time that the layer is used, what it reads: a layer's name, which use of it, which output. */
  inbound_nodes: z.array(z.array(z.tuple([z.string(), z.int(), z.int()], z.unknown()))).default([]),
})
export type LayerJson = z.infer<typeof layerSchema>

const modelKinds = ['Sequential', 'Model', 'Functional'] as const

/** A model, whole or as a layer of another. */
export const modelSchema = z.object({
  class_name: z.enum(modelKinds, `expected one of ${modelKinds.join(', ')}`),
  config: z.union([
    z.object({
      layers: z.array(layerSchema).min(1),
      input_layers: z.array(z.tuple([z.string()], z.unknown())).optional(),
      output_layers: z.array(z.tuple([z.string()], z.unknown())).optional(),
    }),
    // As Keras wrote sequential models before 2.2.3.
    z
      .array(layerSchema)
      .min(1)
      .transform((layers) => ({ layers, input_layers: undefined, output_layers: undefined })),
  ]),
})
export type ModelTopology = z.infer<typeof modelSchema>

export const isModel = ({ class_name }: LayerJson): boolean => modelKinds.some((kind) => kind === class_name)

/** The topology of a layers model: beside what it was trained with, where Keras wrote it. */
export const topologySchema = z.union([
  z.looseObject({ model_config: modelSchema }).transform(({ model_config }) => model_config),
  modelSchema,
])
