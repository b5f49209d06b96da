/**
 * Sets environment variables that native libraries read. A worker thread may have only a copy of the environment, so call this in
 * the main thread, too.
 *
 * TensorFlow: one thread, because parallelism comes from processes and workers; no log output. ONNX Runtime: no telemetry, whose
 * setup overflows the stack if the command line is long.
 */
export function setEngineEnvironment(): void {
  process.env.TF_NUM_INTRAOP_THREADS ??= '1'
  process.env.TF_NUM_INTEROP_THREADS ??= '1'
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'
  process.env.ORT_DISABLE_TELEMETRY ??= '1'
}
