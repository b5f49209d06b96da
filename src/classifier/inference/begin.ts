import { openInference } from './open'

/*
 * Imported first by an action, so that the inference program loads while the rest of the action does.
 */
openInference()
