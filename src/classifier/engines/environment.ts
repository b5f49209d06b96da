/**
 * Sets what native libraries read from the environment of the process, of which a worker thread may have but a copy: there
 * it is called in the main thread, too.
 *
 * TensorFlow is to use one thread, since parallel work is done by more processes or workers, and to print no notes. ONNX
 * Runtime is to send no telemetry; what prepares it overflows the stack where the command line is long.
 */
export function setEngineEnvironment(): void {
  process.env.TF_NUM_INTRAOP_THREADS ??= '1'
  process.env.TF_NUM_INTEROP_THREADS ??= '1'
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'
  process.env.ORT_DISABLE_TELEMETRY ??= '1'
}
