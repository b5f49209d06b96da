import { main } from './program'

/*
 * `whisklens classify` by itself: Node.js reads a bundle whole before it runs any of it, and that of all commands takes
 * as long as classifying ten photos.
 */
main({ classify: () => import('./classify') })
