/** One kind of error. */
interface ErrorKind {
  /** HTTP status of a web action's response; 502 when a server behind it failed. */
  status: number
  /** Whether the same call may succeed later; `varies` when it depends on the error. Default: no. */
  retryable?: boolean | 'varies'
  /** Set for codes that an image's error record may have. */
  image?: true
  when: string
  /** What to do, unless the error has a more specific hint. */
  hint?: string
}

/** All error codes. They are a public contract: never rename one. */
export const errorCodes = {
  // Images
  image_empty: {
    status: 400,
    image: true,
    when: 'The object is empty.',
    hint: 'Upload the image again.',
  },
  image_unsupported: {
    status: 400,
    image: true,
    when: 'The object is not an image, or its format is not supported.',
    hint: 'Convert it to JPEG, PNG, WebP, GIF, AVIF, HEIC or TIFF.',
  },
  image_corrupt: {
    status: 400,
    image: true,
    when: 'The image is damaged or incomplete.',
    hint: 'Upload the image again; djpeg, pngcheck or identify check whether the original is intact.',
  },
  image_too_large: {
    status: 400,
    image: true,
    when: 'The file or its decoded pixels need more memory than is available.',
    hint: 'Shrink the image, or give classify more memory: WHISKLENS_MEMORY.',
  },
  image_missing: {
    status: 502,
    image: true,
    when: 'The bucket has no image with that key: a list names it, or it has been deleted.',
    hint: 'Upload it again or correct the list, then fire the batch again.',
  },
  object_archived: {
    status: 502,
    image: true,
    when: 'The object is in an archive storage class (GLACIER, DEEP_ARCHIVE) and cannot be read.',
    hint: 'Restore it, for example with aws s3api restore-object, then run whisklens retry.',
  },
  object_encrypted: {
    status: 502,
    image: true,
    when: 'The object is encrypted with a customer-provided key (SSE-C).',
    hint: 'Store a copy with SSE-S3 or SSE-KMS.',
  },
  access_denied: {
    status: 502,
    image: true,
    when: 'The object store denies access with these credentials, or the file system denies access.',
    hint: 'Check WHISKLENS_S3_ACCESS_KEY_ID, its secret and its policy.',
  },
  download_failed: {
    status: 502,
    retryable: 'varies',
    image: true,
    when: 'An image, a model or a package could not be downloaded.',
    hint: 'Try again; whisklens doctor checks whether the store can be reached.',
  },
  lost: {
    status: 502,
    retryable: true,
    image: true,
    when: 'Every activation that tried the image ended without reporting a result.',
    hint: 'Run whisklens retry; if it happens again, classify may need more memory or time.',
  },
  internal: {
    status: 500,
    retryable: 'varies',
    image: true,
    when: 'An unexpected error: a defect.',
    hint: 'See the activation log, or the stack trace that the command prints, and report it.',
  },

  // Requests
  bad_parameter: {
    status: 400,
    when: 'A parameter of an action, a feed, a web action or a command is not valid.',
  },
  usage: {
    status: 400,
    when: 'The command line is not valid.',
    hint: 'whisklens --help lists the commands.',
  },
  confirmation_needed: {
    status: 400,
    when: 'The command deletes data, and there is no terminal to confirm it on.',
    hint: 'Confirm with --yes.',
  },
  unauthorized: {
    status: 401,
    when: 'The request to a web action has no valid token.',
    hint: 'Send it as "Authorization: Bearer …" or as ?token=…',
  },
  method_not_allowed: {
    status: 405,
    when: 'The web action does not support that HTTP method.',
    hint: 'The Allow header of the response names the supported methods.',
  },
  nothing_found: {
    status: 404,
    when: 'No image was found in the given paths.',
    hint: 'Pass a file or a folder with images.',
  },

  // Settings
  bad_setting: {
    status: 500,
    when: 'A WHISKLENS_… variable, an action parameter of the deployment or a configuration file is not valid.',
    hint: 'docs/reference/settings.md lists the settings; deploy again after a change.',
  },
  not_configured: {
    status: 500,
    when: 'No OpenWhisk, or no object store, is configured.',
    hint: 'Start the local mode with whisklens up, or set the variables that docs/reference/settings.md lists.',
  },
  bad_deployment: {
    status: 500,
    when: 'The deployment manifest, or a file it refers to, cannot be deployed.',
    hint: 'Deploy manifest.yaml or manifest.stock.yaml; npm run build builds the code; from an installed package, whisklens deploy --stock does.',
  },
  bad_policy: {
    status: 500,
    when: 'A policy of the local object store has unsupported elements.',
    hint: 'Use Allow and Deny statements with actions and resources only.',
  },

  bad_labels: {
    status: 500,
    when: 'labels.json of the results bucket, or the file of --labels, cannot be used.',
    hint: 'Fix or remove the file; without it, labels are shown as the model names them.',
  },

  // Batches and feeds
  batch_not_found: {
    status: 404,
    when: 'There is no batch with that id.',
    hint: 'whisklens status lists the batches; a batch that was just fired takes a moment to begin.',
  },
  batch_in_use: {
    status: 409,
    retryable: true,
    when: 'Another activation is starting or removing the batch.',
    hint: 'Try again in a moment.',
  },
  batch_taken_over: {
    status: 409,
    when: 'Another activation has taken over the lease of the batch and advances it.',
    hint: 'Nothing is lost; whisklens status shows the progress.',
  },
  batch_differs: {
    status: 409,
    when: 'A batch with that id exists, with another bucket, prefix or filters.',
    hint: 'Choose another id, or fire it with the same filters.',
  },
  manifest_not_found: {
    status: 404,
    when: 'There is no list of images at the given address.',
    hint: 'Check the address, s3://bucket/key; whisklens batch --manifest uploads a file.',
  },
  manifest_changed: {
    status: 409,
    when: 'The list of images was replaced while it was being read.',
    hint: 'Fire the batch again: it reads the list from the start.',
  },
  manifest_invalid: {
    status: 400,
    when: 'A line of a list of images cannot be parsed.',
    hint: 'A list has keys, JSON lines with source-ref or content, CSV of bucket and key, or CSV of S3 Inventory.',
  },
  batch_not_started: {
    status: 502,
    when: 'A batch was fired but did not begin.',
    hint: 'Check wsk rule list and the activation log of start-batch.',
  },
  batch_stalled: {
    status: 502,
    when: 'A batch has made no progress for minutes.',
    hint: 'Fire it again with the same id: it resumes with the missing images.',
  },
  too_many_images: {
    status: 400,
    when: 'There are more images than one activation can count for dryRun or maxCost.',
    hint: 'Narrow the prefix.',
  },
  answer_too_large: {
    status: 400,
    when: 'The selected records do not fit into one response, and could not be written to a file.',
    hint: 'Request pages with limit and after, or run whisklens results.',
  },
  index_changed: {
    status: 409,
    when: 'The requested index no longer exists: the batch has a newer one.',
    hint: 'Request the index again with format=index, then its rows.',
  },
  cost_exceeded: {
    status: 400,
    when: 'The batch is likely to cost more than maxCost. Nothing was dispatched.',
    hint: 'Raise maxCost, or choose fewer images.',
  },
  no_active_rule: {
    status: 502,
    when: 'The trigger was fired, but has no active rule.',
    hint: 'Run wsk rule enable on-batch-requested, or deploy again.',
  },
  feed_not_found: {
    status: 404,
    when: 'The trigger watches no bucket.',
    hint: 'Create the trigger with the feed bucket-feed.',
  },
  event_unknown: {
    status: 400,
    when: 'A notification has no known shape, or none of its records is valid.',
    hint: 'docs/events.md lists the supported senders and how to set them up.',
  },
  subscription_refused: {
    status: 502,
    when: 'An SNS subscription could not be confirmed.',
    hint: 'Confirm it in the console of the sender; the confirmation URL must be one of SNS.',
  },

  // Object store
  bucket_not_found: {
    status: 502,
    when: 'There is no such bucket.',
    hint: 'Create the bucket, or check WHISKLENS_IMAGES_BUCKET and WHISKLENS_RESULTS_BUCKET.',
  },
  object_not_found: {
    status: 502,
    when: 'The object store has no object with that key.',
    hint: 'It was deleted or renamed; fire the batch again.',
  },
  object_too_large: {
    status: 502,
    when: 'The object is too large to be read at once.',
    hint: 'The limit is 64 MiB.',
  },
  upload_not_found: {
    status: 502,
    when: 'A multipart upload no longer exists.',
    hint: 'Fire the batch again; a lifecycle rule may have aborted the upload.',
  },
  precondition_failed: {
    status: 502,
    retryable: 'varies',
    when: 'Another writer changed the object, or writers kept changing it.',
    hint: 'Try again.',
  },
  not_implemented: {
    status: 502,
    when: 'The object store does not implement the request.',
    hint: 'docs/deploy.md names what a store must support.',
  },
  store_failed: {
    status: 502,
    retryable: 'varies',
    when: 'The object store failed, throttled, or could not be reached.',
    hint: 'Check WHISKLENS_S3_ENDPOINT, and whether the store is running.',
  },
  tls_untrusted: {
    status: 502,
    when: "A server's certificate is not signed by a known authority.",
    hint: 'Set WHISKLENS_CA to the PEM of the authority.',
  },
  listing_unordered: {
    status: 502,
    when: 'The store does not list keys in the order of S3.',
    hint: 'Directory buckets and some gateways have another order: use another store.',
  },
  document_invalid: {
    status: 502,
    when: 'A document in the results bucket is not valid.',
    hint: 'Another version of Whisklens may have written it.',
  },

  // Webhook and tags
  webhook_failed: {
    status: 502,
    retryable: true,
    when: 'The receiver of the webhook did not accept a message.',
    hint: 'Check WHISKLENS_WEBHOOK_URL and its receiver; the message is sent again for a day.',
  },
  too_many_tags: {
    status: 502,
    when: 'An image has too many tags from other sources: S3 allows ten.',
    hint: 'Remove some of its tags, then fire the batch again with tag and force.',
  },
  image_changed: {
    status: 409,
    when: 'An image was not tagged, because it was replaced since it was classified.',
    hint: 'Fire the batch again with tag: it classifies the current version.',
  },
  tagging_late: {
    status: 502,
    retryable: true,
    when: 'The activation ran out of time to tag an image.',
    hint: 'Fire the batch again with tag and force, and a smaller chunkSize.',
  },

  // OpenWhisk
  openwhisk_error: {
    status: 502,
    retryable: 'varies',
    when: 'OpenWhisk refused or failed a request.',
    hint: 'Check WHISKLENS_APIHOST and WHISKLENS_AUTH, and whether the server is running.',
  },
  action_failed: {
    status: 502,
    when: 'An action failed, or returned an unexpected result.',
    hint: 'Repeating it is safe. whisklens status shows whether the batch advances by itself.',
  },
  activation_pending: {
    status: 502,
    when: 'An action did not return in time.',
    hint: 'wsk activation get shows the result later.',
  },
  kind_unsupported: {
    status: 500,
    when: 'The server offers no Node.js kind that the actions support.',
    hint: 'Choose one of Node.js 20 or later with --kind.',
  },

  // Models and engines
  model_not_found: {
    status: 500,
    when: 'There is no model with that name, installed or in the catalogue.',
    hint: 'whisklens model list names the models.',
  },
  bad_model: {
    status: 500,
    when: 'A model folder, or one of its files, is damaged or not valid.',
    hint: 'Run whisklens model verify to see what is wrong, or add the model again.',
  },
  model_unsupported: {
    status: 500,
    when: 'A network has an unsupported operation, layer or shape.',
    hint: 'whisklens model list names supported models.',
  },
  model_unfit: {
    status: 500,
    when: 'The model does not suit the engine or the task.',
    hint: 'whisklens model info shows the task and engines of a model.',
  },
  engine_missing: {
    status: 500,
    when: 'The engine is not installed.',
    hint: 'Choose another: WHISKLENS_ENGINE=auto.',
  },
  library_missing: {
    status: 500,
    when: 'The model needs a library that is not installed.',
    hint: 'Install it with npm, or choose another model.',
  },
  wrong_checksum: {
    status: 500,
    when: 'A file does not have the expected checksum.',
    hint: 'Fetch it again; a proxy may have changed it.',
  },
  convert_failed: {
    status: 500,
    when: 'The TensorFlow converter failed.',
  },
  install_failed: {
    status: 500,
    when: 'The installation of an engine failed.',
  },
  platform_unsupported: {
    status: 500,
    when: 'The engine cannot be built for this system.',
    hint: 'Choose another: WHISKLENS_ENGINE=auto.',
  },
  tool_missing: {
    status: 500,
    when: 'A program that the command needs is missing or too old.',
  },
  bad_examples: {
    status: 400,
    when: 'There are too few folders of photos to teach a model, or their layout is not valid.',
    hint: 'Pass a folder with one folder of photos per label.',
  },

  // This machine
  file_not_found: {
    status: 500,
    when: 'There is no such file or folder.',
    hint: 'Check the path; quote names with spaces.',
  },
  file_unreadable: {
    status: 500,
    when: 'A file cannot be read.',
  },
  file_unwritable: {
    status: 500,
    when: 'A file or folder cannot be written.',
  },
  already_exists: {
    status: 409,
    when: 'The destination exists and is not replaced.',
    hint: 'Choose another place or name; --force replaces a model.',
  },
  port_in_use: {
    status: 500,
    when: 'The port of the local mode is in use.',
    hint: 'Is Whisklens already running? --port 0 picks free ports.',
  },
  store_locked: {
    status: 500,
    when: 'Another process is using the folder of the local object store.',
    hint: 'Stop it, or choose another folder with --data.',
  },
  store_damaged: {
    status: 500,
    when: 'The journal of the local object store has an unreadable line.',
  },
  demo_timeout: {
    status: 500,
    when: 'A step of whisklens demo took too long.',
    hint: 'Run it again; whisklens doctor checks the installation.',
  },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof errorCodes

/** Codes an image's error record can carry. */
export type ImageErrorCode = {
  [Code in ErrorCode]: (typeof errorCodes)[Code] extends { image: true } ? Code : never
}[ErrorCode]

/** A code's entry, with all optional fields. */
export const errorKind = (code: ErrorCode): ErrorKind => errorCodes[code]

export const isErrorCode = (text: string | undefined): text is ErrorCode =>
  text !== undefined && Object.hasOwn(errorCodes, text)
