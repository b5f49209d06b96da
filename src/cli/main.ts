import { commands } from './commands'
import { main } from './program'

main(commands)
