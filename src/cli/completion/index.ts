import { Argument, type Command } from 'commander'
import { print } from '../shared/output'
import { completionOf } from './candidates'
import { scripts } from './scripts'
import { valuesOf } from './values'

/** `whisklens completion`: prints a shell's completion script, which calls the hidden command `complete`. */
export function register(program: Command): void {
  program
    .command('completion')
    .description('print the completion script of a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(scripts)))
    .addHelpText(
      'after',
      `
Completes commands, options, their values, batch ids and model names. The script calls whisklens at each Tab, so it stays
valid after an update.

Set it up once:
  bash   echo 'source <(whisklens completion bash)' >> ~/.bashrc
  zsh    echo 'source <(whisklens completion zsh)' >> ~/.zshrc    (after compinit)
  fish   whisklens completion fish > ~/.config/fish/completions/whisklens.fish

Examples:
  source <(whisklens completion bash)         # in this shell only
  whisklens completion zsh > _whisklens       # for a folder of $fpath`,
    )
    .action((shell: keyof typeof scripts) => print(scripts[shell]))
  program
    .command('complete', { hidden: true })
    .argument('[words...]', 'the command line after whisklens, up to the word at the cursor')
    .action(async (words: string[]) => {
      const { candidates, files } = await completionOf(program, words, valuesOf)
      for (const { value, about = '' } of candidates) await print(`${value}\t${about}\n`)
      await print(`:${files}\n`)
      // Do not wait for a store that does not answer.
      process.exit()
    })
}
