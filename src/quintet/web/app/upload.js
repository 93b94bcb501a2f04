// One file on its way to the server. `fetch` tells no progress of what it sends, so this is the older XMLHttpRequest.

import { ApiError, Unreachable } from "./api.js";

const TIMEOUT_MS = 90_000;

export async function upload(session, file, { onProgress, signal }) {
  try {
    return await post(file, await session.token(), onProgress, signal);
  } catch (error) {
    if (error.status !== 401) throw error;
    return post(file, await session.token(true), onProgress, signal);
  }
}

function post({ file, name, type }, token, onProgress, signal) {
  const form = new FormData();
  form.append("file", new Blob([file], { type }), name);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/v1/attachments");
    request.timeout = TIMEOUT_MS;
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.setRequestHeader("X-Quintet-Client", "web");
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(total ? loaded / total : 0));
    request.addEventListener("load", () => settle(request, resolve, reject));
    for (const type of ["error", "timeout", "abort"]) request.addEventListener(type, () => reject(new Unreachable()));
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

function settle(request, resolve, reject) {
  let answer = null;
  try {
    answer = JSON.parse(request.responseText);
  } catch {
    // No JSON: something between here and the server answered.
  }
  if (request.status === 201 && answer) return resolve(answer);
  return reject(
    new ApiError(request.status, answer ?? {}, Number(request.getResponseHeader("Retry-After")) || undefined),
  );
}
