import build from '../global-setup'
import { prepareShared } from './shared'

export default function setup(): void {
  build()
  prepareShared()
}
