import { type Api, type Host, inNamespace } from './api'
import { defaultKind, kinds } from './kinds'
import { actionLimits, megabyte, sequenceLength, sizes } from './limits'

const runtimes = kinds.map((kind) => ({
  kind,
  attached: true,
  default: kind === defaultKind,
  deprecated: false,
  image: `openwhisk/action-${kind.replace(':', '-v')}:nightly`,
  requireMain: false,
}))

/** `min_action_memory` and the like; memory and log sizes in bytes. */
const bounds = Object.fromEntries(
  [
    { ...actionLimits.timeout, name: 'action_duration', unit: 1 },
    { ...actionLimits.memory, name: 'action_memory', unit: megabyte },
    { ...actionLimits.logs, name: 'action_logs', unit: megabyte },
  ].flatMap(({ name, unit, min, max }) =>
    ['', 'default_'].flatMap((prefix) => [
      [`${prefix}min_${name}`, min * unit],
      [`${prefix}max_${name}`, max * unit],
    ]),
  ),
)

const support = { github: 'https://github.com/apache/openwhisk/issues', slack: 'http://slack.openwhisk.org' }

/** Describes the host: runtimes, limits, build, and its only namespace. */
export function namespaceRoutes(api: Api, { namespace, entities, limits }: Host): void {
  // wskdeploy parses JSON only from `application/json` exactly, or a type that ends in `charset=UTF-8` in this spelling.
  api.get('/', (c) =>
    c.json({
      api_paths: ['/api/v1'],
      description: 'OpenWhisk',
      limits: {
        ...bounds,
        actions_per_minute: limits.invocationsPerMinute,
        concurrent_actions: limits.concurrentInvocations,
        triggers_per_minute: limits.firesPerMinute,
        sequence_length: sequenceLength,
      },
      runtimes: { nodejs: runtimes },
      support,
    }),
  )
  api.get('/api/v1', (c) =>
    c.json({
      api_version: '1.0.0',
      api_version_path: 'v1',
      build: 'whisklens',
      buildno: 'local',
      description: 'OpenWhisk API',
      swagger_paths: { 'api-docs': '/api-docs', ui: '/docs' },
    }),
  )
  api.on('GET', ['/api/v1/namespaces', '/api/v1/namespaces/'], (c) => c.json([namespace]))
  api.get(`${inNamespace}/limits`, (c) => {
    const { timeout, memory, logs, concurrency } = actionLimits
    return c.json({
      concurrentInvocations: limits.concurrentInvocations,
      firesPerMinute: limits.firesPerMinute,
      invocationsPerMinute: limits.invocationsPerMinute,
      maxActionConcurrency: concurrency.max,
      maxActionInstances: limits.concurrentInvocations,
      maxActionLogs: logs.max,
      maxActionMemory: memory.max,
      maxActionTimeout: timeout.max,
      maxParameterSize: `${sizes.payload} B`,
      minActionConcurrency: concurrency.min,
      minActionLogs: logs.min,
      minActionMemory: memory.min,
      minActionTimeout: timeout.min,
    })
  })
  api.get(inNamespace, (c) => {
    const collections = ['actions', 'packages', 'rules', 'triggers'] as const
    const namesOf = (collection: (typeof collections)[number]) =>
      entities.list(collection, namespace).map(({ name, namespace }) => ({ name, namespace }))
    return c.json(Object.fromEntries(collections.map((collection) => [collection, namesOf(collection)])))
  })
}
