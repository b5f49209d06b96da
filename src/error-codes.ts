/** One kind of error, for scripts and for people. */
interface ErrorKind {
  /** HTTP status of a web action's answer; 502 where a server behind it failed. */
  status: number
  /** Whether the same call may succeed later; `varies` where only the error itself tells. No, unless given. */
  retryable?: boolean | 'varies'
  /** Set where an image's error record can carry the code. */
  image?: true
  when: string
  /** What to do, where the error itself says nothing more exact; none where its message always says enough. */
  hint?: string
}

/** Every code an error of this project can have. They are part of the public contract: never rename one. */
export const errorCodes = {
  // Images
  image_empty: {
    status: 400,
    image: true,
    when: 'The object has no bytes.',
    hint: 'Upload the image again.',
  },
  image_unsupported: {
    status: 400,
    image: true,
    when: 'The object is no image, or in a format that cannot be decoded.',
    hint: 'Convert it to JPEG, PNG, WebP, GIF, AVIF, HEIC or TIFF.',
  },
  image_corrupt: {
    status: 400,
    image: true,
    when: 'The image is damaged or incomplete.',
    hint: 'Upload the image again; djpeg, pngcheck or identify tell whether the original is whole.',
  },
  image_too_large: {
    status: 400,
    image: true,
    when: 'The file, or its pixels, take more memory than there is for one image.',
    hint: 'Shrink the image, or give classify more memory: WHISKLENS_MEMORY.',
  },
  image_missing: {
    status: 502,
    image: true,
    when: 'The bucket has no image under that key: a list names it, or it was deleted since.',
    hint: 'Upload it again, or correct the list; a batch that is fired again looks anew.',
  },
  object_archived: {
    status: 502,
    image: true,
    when: 'The storage class of the object is an archive (GLACIER, DEEP_ARCHIVE), which hands nothing out.',
    hint: 'Restore it, for example with aws s3api restore-object, and run whisklens retry then.',
  },
  object_encrypted: {
    status: 502,
    image: true,
    when: 'The object is encrypted with a key that its owner keeps (SSE-C), which Whisklens does not have.',
    hint: 'Store a copy with SSE-S3 or SSE-KMS.',
  },
  access_denied: {
    status: 502,
    image: true,
    when: 'The object store refuses the keys, or the file system refuses the user.',
    hint: 'Check WHISKLENS_S3_ACCESS_KEY_ID, its secret and what its policy allows.',
  },
  download_failed: {
    status: 502,
    retryable: 'varies',
    image: true,
    when: 'An image, a model or a package could not be downloaded.',
    hint: 'Try again; whisklens doctor tells whether the store is reached.',
  },
  lost: {
    status: 502,
    retryable: true,
    image: true,
    when: 'The activation that had the image ended without a report, in every attempt.',
    hint: 'Run whisklens retry; where it returns, classify may need more memory or time.',
  },
  internal: {
    status: 500,
    retryable: 'varies',
    image: true,
    when: 'Something that no other code covers: a defect.',
    hint: 'The activation log, or the stack that the command prints, says more; report it.',
  },

  // What is asked for
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
    when: 'The command removes something, and there is no terminal to ask on.',
    hint: 'Confirm it with --yes.',
  },
  unauthorized: {
    status: 401,
    when: 'The request to a web action has no valid token.',
    hint: 'Send it as "Authorization: Bearer …" or as ?token=…',
  },
  method_not_allowed: {
    status: 405,
    when: 'The web action does not take that HTTP method.',
    hint: 'The header Allow of the answer names those it takes.',
  },
  nothing_found: {
    status: 404,
    when: 'There is no image in what was named.',
    hint: 'Name a file, or a folder with images.',
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
    when: 'The deployment manifest, or what it refers to, cannot be deployed.',
    hint: 'Deploy manifest.yaml or manifest.stock.yaml; npm run build makes the code, or whisklens deploy --stock where the package is installed.',
  },
  bad_policy: {
    status: 500,
    when: 'A policy of the local object store has elements that it does not evaluate.',
    hint: 'Use Allow and Deny statements with actions and resources only.',
  },

  bad_labels: {
    status: 500,
    when: 'labels.json of the results bucket, or the file of --labels, cannot be used.',
    hint: 'Mend or remove the file; without it, labels are those of the model.',
  },

  // Batches and feeds
  batch_not_found: {
    status: 404,
    when: 'There is no batch with that id.',
    hint: 'whisklens status lists the batches; one that was just fired takes a moment to begin.',
  },
  batch_in_use: {
    status: 409,
    retryable: true,
    when: 'Another activation starts or removes the batch right now.',
    hint: 'Try again in a moment.',
  },
  batch_taken_over: {
    status: 409,
    when: 'Another activation has become the lease holder of the batch; it carries the batch on.',
    hint: 'Nothing is lost; whisklens status shows how the batch stands.',
  },
  batch_differs: {
    status: 409,
    when: 'A batch of that id exists, with another bucket, prefix or filters.',
    hint: 'Choose another id, or fire it with the same filters.',
  },
  manifest_not_found: {
    status: 404,
    when: 'There is no list of images at the address that a batch was fired with.',
    hint: 'Check the address, s3://bucket/key; whisklens batch --manifest uploads a file.',
  },
  manifest_changed: {
    status: 409,
    when: 'The list of images was replaced while it was read.',
    hint: 'Fire the batch again: it reads the list from the start.',
  },
  manifest_invalid: {
    status: 400,
    when: 'A line of a list of images cannot be understood.',
    hint: 'Lists hold keys, JSON lines with source-ref or content, or CSV of bucket and key or of S3 Inventory.',
  },
  batch_not_started: {
    status: 502,
    when: 'A batch was fired, and did not begin.',
    hint: 'wsk rule list, and the activation log of start-batch, say why.',
  },
  batch_stalled: {
    status: 502,
    when: 'A batch has made no progress for minutes.',
    hint: 'Fire it again with the same id: only what is missing is done.',
  },
  too_many_images: {
    status: 400,
    when: 'There are more images than one activation can count for dryRun or maxCost.',
    hint: 'Narrow the prefix.',
  },
  answer_too_large: {
    status: 400,
    when: 'The records that a query of results selects do not fit into one answer, and could not be written to a file.',
    hint: 'Ask for pages with limit and after, or run whisklens results.',
  },
  index_changed: {
    status: 409,
    when: 'Rows of an index were asked for that is not there any more: the batch has another by now.',
    hint: 'Ask for the index anew with format=index, then for rows of that one.',
  },
  cost_exceeded: {
    status: 400,
    when: 'The batch is likely to cost more than maxCost. Nothing was dispatched.',
    hint: 'Raise maxCost, or choose fewer images.',
  },
  no_active_rule: {
    status: 502,
    when: 'The trigger was fired, and no active rule starts an action.',
    hint: 'wsk rule enable on-batch-requested; or deploy again.',
  },
  feed_not_found: {
    status: 404,
    when: 'The trigger watches no bucket.',
    hint: 'Create the trigger with the feed bucket-feed.',
  },
  event_unknown: {
    status: 400,
    when: 'A notification is of no known shape, or none of its records is valid.',
    hint: 'docs/events.md lists the senders that are known, and how they are set up.',
  },
  subscription_refused: {
    status: 502,
    when: 'A subscription to SNS could not be confirmed.',
    hint: 'Confirm it in the console of the sender; its address must be one of SNS.',
  },

  // Object store
  bucket_not_found: {
    status: 502,
    when: 'There is no such bucket.',
    hint: 'Create the bucket, or check WHISKLENS_IMAGES_BUCKET and WHISKLENS_RESULTS_BUCKET.',
  },
  object_not_found: {
    status: 502,
    when: 'The object store has no object under that key.',
    hint: 'It was deleted or renamed; fire the batch again.',
  },
  object_too_large: {
    status: 502,
    when: 'The object has more bytes than are read at once.',
    hint: 'Objects of up to 64 MiB are read.',
  },
  upload_not_found: {
    status: 502,
    when: 'A multipart upload does not exist any more.',
    hint: 'Fire the batch again; a lifecycle rule may have aborted the upload.',
  },
  precondition_failed: {
    status: 502,
    retryable: 'varies',
    when: 'The object was changed by another writer, or writers kept changing it.',
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
    hint: 'Check WHISKLENS_S3_ENDPOINT, and whether the store is up.',
  },
  tls_untrusted: {
    status: 502,
    when: "A server's certificate is not signed by a known authority.",
    hint: 'Set WHISKLENS_CA to the PEM of the authority.',
  },
  listing_unordered: {
    status: 502,
    when: 'The store lists keys in another order than S3 does.',
    hint: 'Directory buckets and some gateways do so: use another store.',
  },
  document_invalid: {
    status: 502,
    when: 'A document in the results bucket cannot be understood.',
    hint: 'Another version of Whisklens may have written it.',
  },

  // Ways out
  webhook_failed: {
    status: 502,
    retryable: true,
    when: 'The receiver of the webhook did not accept a message.',
    hint: 'Check WHISKLENS_WEBHOOK_URL and its receiver; the message is sent again for a day.',
  },
  too_many_tags: {
    status: 502,
    when: 'An image has tags of others that leave no room: S3 allows ten.',
    hint: 'Remove some of its tags, then fire the batch again with tag and force.',
  },
  image_changed: {
    status: 409,
    when: 'An image was not tagged, because it was replaced since it was classified.',
    hint: 'Fire the batch again with tag: it is classified as it is now.',
  },
  tagging_late: {
    status: 502,
    retryable: true,
    when: 'The activation had no time left to tag an image.',
    hint: 'Fire the batch again with tag and force, and a smaller chunkSize.',
  },

  // OpenWhisk
  openwhisk_error: {
    status: 502,
    retryable: 'varies',
    when: 'OpenWhisk refused or failed a request.',
    hint: 'Check WHISKLENS_APIHOST and WHISKLENS_AUTH, and whether the server is up.',
  },
  action_failed: {
    status: 502,
    when: 'An action failed, or answered something else than expected.',
    hint: 'It is safe to do it again. whisklens status tells whether the batch goes on by itself.',
  },
  activation_pending: {
    status: 502,
    when: 'An action has not answered in time.',
    hint: 'wsk activation get shows the answer later.',
  },
  kind_unsupported: {
    status: 500,
    when: 'The server offers no kind of Node.js that the actions run on.',
    hint: 'Choose one of Node.js 20 or later with --kind.',
  },

  // Models and engines
  model_not_found: {
    status: 500,
    when: 'There is no model of that name, here or in the catalogue.',
    hint: 'whisklens model list names the models.',
  },
  bad_model: {
    status: 500,
    when: 'A model folder, or one of its files, is damaged or not valid.',
    hint: 'whisklens model verify tells what is wrong; add the model again.',
  },
  model_unsupported: {
    status: 500,
    when: 'A network has an operation, a layer or a shape that is not supported.',
    hint: 'whisklens model list names models that are.',
  },
  model_unfit: {
    status: 500,
    when: 'The model does not suit the engine or the task.',
    hint: 'whisklens model info tells what a model is for and which engines run it.',
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
    when: 'A file is not the one it should be.',
    hint: 'Fetch it again; a proxy may have changed it.',
  },
  convert_failed: {
    status: 500,
    when: 'The converter of TensorFlow failed.',
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
    when: 'A program that the command starts is not installed, or too old.',
  },
  bad_examples: {
    status: 400,
    when: 'The folders of photos to teach a model with are too few, or not as they must be.',
    hint: 'A folder with a folder of photos for each label.',
  },

  // This machine
  file_not_found: {
    status: 500,
    when: 'There is no such file or folder.',
    hint: 'Check the path; quote names with blanks.',
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
    when: 'The destination exists, and is not replaced.',
    hint: 'Choose another place or name; --force replaces a model.',
  },
  port_in_use: {
    status: 500,
    when: 'The port of the local mode is in use.',
    hint: 'Is Whisklens up already? --port 0 picks free ports.',
  },
  store_locked: {
    status: 500,
    when: 'Another process has the folder of the local object store open.',
    hint: 'End it, or choose another folder with --data.',
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

/** A code's entry, with every field that one can have. */
export const errorKind = (code: ErrorCode): ErrorKind => errorCodes[code]

export const isErrorCode = (text: string | undefined): text is ErrorCode =>
  text !== undefined && Object.hasOwn(errorCodes, text)
