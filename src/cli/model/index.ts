import type { Command } from 'commander'
import { register as add } from './add'
import { register as convert } from './convert'
import { register as info } from './info'
import { register as list } from './list'
import { register as remove } from './remove'
import { register as verify } from './verify'

/** `whisklens model`. */
export function register(program: Command): void {
  const model = program
    .command('model')
    .description('list, inspect, add, remove, convert and verify models')
    .addHelpText(
      'after',
      `
A model is a folder with a network, its class names and whisklens.json, which describes the input. Added models are stored
in ~/.local/share/whisklens/models (env: WHISKLENS_MODELS).

Examples:
  whisklens model list
  whisklens model add mobilenet-v1-0.25
  whisklens model convert flowers.keras flowers/
  whisklens model add ./flowers --labels flowers.txt --size 224 --range -1,1
  whisklens model verify flowers
  whisklens classify --model flowers photos/`,
    )
  for (const register of [list, info, add, remove, convert, verify]) register(model)
}
