// Requests to the server. Every failure is a Problem: one sentence, and the status (0 = no answer).

const KEPT = "livelight-token";

export class Problem extends Error {
  /** sentence: for the user. status: HTTP, 0 without an answer. retryS: when the server says to ask again, or null. */
  constructor(sentence, status = 0, retryS = null) {
    super(sentence);
    this.status = status;
    this.retryS = retryS;
  }
}

let token = takenToken();
let askToken = async () => { throw new Problem("This server asks for a token.", 401); };

/** ask: called when the server wants a token; resolves to one. */
export function onTokenWanted(ask) {
  let asking = null;
  askToken = () => {
    asking ??= ask().finally(() => { asking = null; });
    return asking;
  };
}

/** Request; resolves to {data, response}, data parsed where it is JSON. options: body (JSON value or text), type, keepalive. */
export async function request(method, path, options = {}) {
  const response = await answered(method, path, options);
  if (response.status === 401) {
    keepToken(await askToken());
    return request(method, path, options);
  }
  const data = await parsed(response);
  if (!response.ok) throw problemOf(response.status, data, response.headers.get("Retry-After"));
  return { data, response };
}

/** GET that resolves to the JSON alone. */
export async function get(path) {
  return (await request("GET", path)).data;
}

/** POST a file with progress. progress: called with 0..1. Resolves to the JSON answer. */
export function upload(path, file, progress) {
  return new Promise((resolve, reject) => {
    const sender = new XMLHttpRequest();
    sender.open("POST", path);
    sender.responseType = "text";
    sender.setRequestHeader("Content-Type", "application/octet-stream");
    if (token) sender.setRequestHeader("Authorization", `Bearer ${token}`);
    sender.upload.onprogress = (event) => progress(event.lengthComputable ? event.loaded / event.total : 0);
    sender.onerror = () => reject(new Problem("The upload broke off; is the server still there?"));
    sender.onload = () => {
      const data = fromJson(sender.responseText);
      if (sender.status < 300) resolve(data);
      else reject(problemOf(sender.status, data, sender.getResponseHeader("Retry-After")));
    };
    sender.send(file);
  });
}

async function answered(method, path, { body, type, keepalive = false }) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = type ?? "application/json";
  const sent = body === undefined || type ? body : JSON.stringify(body);
  try {
    return await fetch(path, { method, headers, body: sent, keepalive });
  } catch {
    throw new Problem("The server does not answer. Is it still running?");
  }
}

async function parsed(response) {
  const text = await response.text();
  return (response.headers.get("Content-Type") ?? "").includes("json") ? fromJson(text) : text;
}

function fromJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function problemOf(status, data, retry) {
  const sentence = data?.problem ?? `The server answered with status ${status}.`;
  return new Problem(sentence.charAt(0).toUpperCase() + sentence.slice(1), status, retry ? Number(retry) || null : null);
}

/** The token of an address like https://host/#token=..., which then leaves the address bar; else the tab's. */
function takenToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    history.replaceState(null, "", location.pathname + location.search);
    sessionStorage.setItem(KEPT, given);
  }
  return given ?? sessionStorage.getItem(KEPT);
}

function keepToken(text) {
  token = text;
  sessionStorage.setItem(KEPT, text);
}
