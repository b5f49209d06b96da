import { openInference } from './open'

/*
 * An action imports this before all else: the program with the models is loaded while the rest of the action is.
 */
openInference()
