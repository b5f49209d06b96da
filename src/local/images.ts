import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { userModelsFolder } from '../model-folder/folder'
import { homeFolder } from '../paths'
import { maxModels } from '../web/max/models'

/** Names the stand-in for the runtime image: child processes with this checkout's modules and models. */
export const runtimeImage = 'whisklens-runtime'

/** Where modules of the folder are found: an installed package's are beside it, not below. */
const moduleFolders = (home: string): string[] =>
  createRequire(join(home, 'package.json')).resolve.paths('sharp') ?? []

/**
 * What the runtime image and those of MAX models have in their environment, for their stand-ins: modules, models, those
 * that the user added as well, and the action to run where one brings no code. Other images are Node.js and nothing else.
 * @param memory the action's, MB
 */
export function imageEnvironment(image = '', memory = 512): Record<string, string> {
  const name = image.replace(/^.*\//, '').replace(/[:@].*$/, '')
  const model = maxModels.get(name)
  if (image !== runtimeImage && model === undefined) return {}
  const home = homeFolder()
  return {
    WHISKLENS_HOME: home,
    WHISKLENS_MODELS: userModelsFolder(),
    // What is found by this process is found in the container, too, such as libraries that some models need.
    NODE_PATH: [process.env.NODE_PATH, ...moduleFolders(home)].filter(Boolean).join(delimiter),
    // A real container's cgroup says so.
    WHISKLENS_MEMORY: String(memory),
    WHISKLENS_DEFAULT_ACTION: join(home, 'dist', 'actions', 'predict.zip'),
    ...(model && { WHISKLENS_MODEL: model, WHISKLENS_MAX_MODEL: name, WHISKLENS_ENGINE: 'auto' }),
  }
}
