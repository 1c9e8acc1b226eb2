// The webcam of the browser, and what to do where there is none.

/**
 * @param {MediaTrackConstraints} wanted
 * @returns {Promise<MediaStream>}
 */
export async function openCamera(wanted) {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new DOMException("There is no webcam for this page.", "SecurityError");
  }
  return navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
}

/**
 * Why the webcam did not start, and what to do.
 * @param {unknown} error
 */
export function cameraProblem(error) {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError")
    return "The browser may not use the webcam. Allow it in the address bar, then try again.";
  if (name === "NotFoundError") return "The browser finds no webcam. Plug one in, or choose a file.";
  if (name === "NotReadableError") return "Another program uses the webcam. Close it, then try again.";
  if (name === "SecurityError")
    return "The browser offers the webcam only to pages from this machine (localhost) or over HTTPS.";
  return `The webcam cannot be used: ${error instanceof Error ? error.message : error}`;
}
