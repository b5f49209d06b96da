import { environmentName, inputName, packageInputs, type SettingName, settingsSchema } from '../../src/config'
import { configSchema } from '../../src/library/connection-sources'
import { example, type Field, fieldsOf } from './fields'
import { block, code, generatedBy, page, table } from './markdown'

/** Environment variables that are not settings of a deployment, by reader. */
export const otherVariables: Record<'commands' | 'classifying', Record<string, string>> = {
  commands: {
    WHISKLENS_APIHOST: 'API host of OpenWhisk.',
    WHISKLENS_AUTH: 'Key of the namespace, `uuid:key`.',
    WHISKLENS_NAMESPACE: 'Namespace. That of the key unless given.',
    WHISKLENS_DATA: 'Data folder of the local mode. `.whisklens` unless given.',
    WHISKLENS_CONVERTER:
      "Folder of the virtual environment with TensorFlow's converter. `~/.cache/whisklens/converter` unless given.",
    WHISKLENS_INSECURE: 'Refused: certificates are checked, unless a command has the option `--insecure`.',
    WHISKLENS_RUNTIME:
      'File that the local mode starts for each container. The one in the package unless given.',
  },
  classifying: {
    WHISKLENS_MODELS: 'Folder of added models. `~/.local/share/whisklens/models` unless given.',
    WHISKLENS_MEMORY: 'Memory for images of one process, MiB. That of the container unless given.',
    WHISKLENS_LOG_LEVEL: '`debug`, `info`, `warn`, `error` or `silent`. `info` in actions unless given.',
    WHISKLENS_TFJS_NODE:
      'Folder of the engine `tfjs-node` that `whisklens doctor --install-tfjs-node` installs. `~/.cache/whisklens/tfjs-node` unless given.',
    WHISKLENS_HOME:
      'Folder that holds `models/`. Located automatically unless given; the runtime image sets it.',
    WHISKLENS_MAX_MODEL:
      'Model of MAX that `predict` answers as, such as `max-object-detector`; the runtime image sets it.',
    WHISKLENS_DEFAULT_ACTION:
      'Action that a container of the runtime image runs if it gets no code; the image sets it.',
  },
}

const defaults: Partial<Record<SettingName, unknown>> = settingsSchema.parse({})

function settingRow({ name, meaning, default: named }: Field): string[] {
  const setting = name as SettingName
  const input = inputName(setting)
  const value = defaults[setting]
  return [
    code(environmentName(setting)),
    packageInputs.includes(input) ? code(input) : '',
    named ?? (value === undefined ? '' : code(String(value))),
    meaning,
  ]
}

const variableTable = (variables: Record<string, string>): string =>
  table(
    ['variable', 'meaning'],
    Object.entries(variables).map(([name, meaning]) => [code(name), meaning]),
  )

export const settingsPage = (): string =>
  page(
    '# Settings',
    generatedBy('`src/config.ts`'),
    `Settings come from the environment. Commands look for each in this order: options, the environment, \`whisklens.config.json\` in the
working folder, a running local mode, \`~/.wskprops\`. Programs that use the library do the same, with what they pass first.`,
    '## Settings of a deployment',
    `\`whisklens deploy\` and \`wskdeploy\` read these variables once and store them as inputs of the package; actions read the inputs.
Deploy again after a change. An empty variable counts as not set.`,
    table(['variable', 'package input', 'default', 'meaning'], fieldsOf(settingsSchema).map(settingRow)),
    block(
      'sh',
      `export WHISKLENS_RUNTIME_IMAGE=whisklens-runtime WHISKLENS_THUMBNAILS=true WHISKLENS_GB_SECOND_PRICE=0.00002
whisklens deploy --dry-run`,
    ),
    `Every action and the sequence have the annotation \`final\`: an invocation or a fire cannot set an input. The default model is called
\`defaultModel\` because \`model\` is a parameter of batches and invocations.`,
    '## `whisklens.config.json`',
    `Holds the same settings by the names of the package inputs, except that the model is called \`model\`, and \`apiHost\`, \`auth\` and
\`namespace\`. It cannot hold \`ca\`: the working folder must not decide which authorities are trusted.`,
    block(
      'json',
      example(configSchema, { imagesBucket: 'photos', resultsBucket: 'results', engine: 'wasm' }),
    ),
    '## Variables of commands and programs',
    variableTable(otherVariables.commands),
    '## Variables of engines and models',
    'Commands, programs, and the containers of actions read these. On a cluster, the runtime image or the environment of an action sets them.',
    variableTable(otherVariables.classifying),
  )
