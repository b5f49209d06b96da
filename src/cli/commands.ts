import type { Commands } from './program'

/** All commands, in the order of the help. Only the module of the command that runs is loaded. */
export const commands: Commands = {
  up: () => import('./up'),
  demo: () => import('./demo'),
  upload: () => import('./upload'),
  classify: () => import('./classify'),
  batch: () => import('./batch'),
  status: () => import('./status'),
  watch: () => import('./watch'),
  results: () => import('./results'),
  retry: () => import('./retry'),
  cancel: () => import('./cancel'),
  prune: () => import('./prune'),
  cost: () => import('./cost'),
  teach: () => import('./teach'),
  deploy: () => import('./deploy'),
  undeploy: () => import('./undeploy'),
  model: () => import('./model'),
  doctor: () => import('./doctor'),
  completion: () => import('./completion'),
}
