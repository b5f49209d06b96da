import { main } from './program'

/*
 * Separate bundle for `whisklens classify`: Node.js parses a bundle completely before it runs, and the bundle of all commands
 * takes as long as classifying ten photos.
 */
main({ classify: () => import('./classify') })
