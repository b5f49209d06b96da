import { block, generatedBy, page } from '../markdown'
import { classifySection } from './classify'
import { predictSection } from './predict'
import { resultsSection } from './results'

export const httpPage = (): string =>
  page(
    '# HTTP',
    generatedBy('the schemas in `src/web`'),
    `What the web actions \`results\` and \`predict\` and the action \`classify\` take and answer over HTTP. A web action has the address
\`https://APIHOST/api/v1/web/NAMESPACE/whisklens/ACTION\`; in the local mode that is \`http://127.0.0.1:3233/api/v1/web/guest/whisklens/ACTION\`.`,
    `The token is \`WHISKLENS_RESULTS_TOKEN\`, as \`Authorization: Bearer TOKEN\` or as \`?token=TOKEN\`. The examples take that of the local mode,
and a batch of these photos:`,
    block(
      'sh',
      `whisklens upload photos/ --prefix photos/
whisklens batch photos/ --batch web --force
results=http://127.0.0.1:3233/api/v1/web/guest/whisklens/results
token=$(node -p 'require("./.whisklens/connection.json").webToken')`,
    ),
    ...resultsSection,
    ...predictSection,
    ...classifySection,
  )
