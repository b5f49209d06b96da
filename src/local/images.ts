import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { userModelsFolder } from '../model-folder/folder'
import { homeFolder } from '../paths'
import { maxModels } from '../web/max/models'

/** Image name for which child processes with the modules and models of this installation stand in. */
export const runtimeImage = 'whisklens-runtime'

/** Module folders; those of an installed package are beside it. */
const moduleFolders = (home: string): string[] =>
  createRequire(join(home, 'package.json')).resolve.paths('sharp') ?? []

/**
 * Environment that stands in for the runtime image and MAX images: modules, models (added ones, too), and the default action for
 * actions without code. Other images get plain Node.js.
 * @param memory limit of the action, MB
 */
export function imageEnvironment(image = '', memory = 512): Record<string, string> {
  const name = image.replace(/^.*\//, '').replace(/[:@].*$/, '')
  const model = maxModels.get(name)
  if (image !== runtimeImage && model === undefined) return {}
  const home = homeFolder()
  return {
    WHISKLENS_HOME: home,
    WHISKLENS_MODELS: userModelsFolder(),
    // Modules found by this process are found in the container, too, such as libraries of some models.
    NODE_PATH: [process.env.NODE_PATH, ...moduleFolders(home)].filter(Boolean).join(delimiter),
    // A real container reads this from its cgroup.
    WHISKLENS_MEMORY: String(memory),
    WHISKLENS_DEFAULT_ACTION: join(home, 'dist', 'actions', 'predict.zip'),
    ...(model && { WHISKLENS_MODEL: model, WHISKLENS_MAX_MODEL: name, WHISKLENS_ENGINE: 'auto' }),
  }
}
