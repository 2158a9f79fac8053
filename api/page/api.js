// @ts-check
/** The HTTP API as this page uses it. */

/**
 * @typedef {object} Citation
 * @property {string} document_id
 * @property {string} source
 * @property {string} title
 * @property {string} text_sha256
 * @property {number | null} page
 * @property {string | null} [page_label]
 * @property {string[]} heading
 * @property {number} paragraph
 * @property {number} paragraph_end
 * @property {number} start in code points of the document's text, as all offsets
 * @property {number} end
 * @property {string} quote
 * @property {number | null} sentence_start
 * @property {number | null} sentence_end
 *
 * @typedef {object} Answer
 * @property {string} text
 * @property {string} sentence
 * @property {number | null} confidence
 * @property {Citation} citation
 * @property {Citation[]} [also_in]
 *
 * @typedef {object} Passage
 * @property {number} rank
 * @property {string} text
 * @property {Citation} citation
 * @property {Citation[]} [also_in]
 *
 * @typedef {object} Reply
 * @property {string} question
 * @property {boolean} answered
 * @property {Answer[]} answers
 * @property {string | null} reason
 * @property {Passage[]} passages
 * @property {{ generation: number }} index
 * @property {{ total: number }} took_ms
 *
 * @typedef {object} DocumentRecord
 * @property {string} document_id
 * @property {string} source
 * @property {string} title
 * @property {string} collection
 * @property {number} paragraphs
 * @property {string | null} date
 * @property {string} [text_sha256]
 *
 * @typedef {{ documents: DocumentRecord[], next: string | null }} Listing
 */

const TOKEN = "token";

/** A request that brought no result. `status` is 0 where the server could not be reached. */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {string} title
   * @param {string} detail
   * @param {number | null} retryAfter seconds
   */
  constructor(status, title, detail = "", retryAfter = null) {
    super(title);
    this.status = status;
    this.detail = detail;
    this.retryAfter = retryAfter;
  }
}

/**
 * @param {(refused: boolean) => Promise<string | null>} askForToken asks the user; null: declined
 */
export function connect(askForToken) {
  /** @type {Promise<string | null> | null} */
  let asking = null;

  /** @param {boolean} refused */
  function freshToken(refused) {
    asking ??= askForToken(refused).finally(() => {
      asking = null;
    });
    return asking;
  }

  /**
   * @param {string} path
   * @param {RequestInit} [options]
   */
  async function request(path, options = {}) {
    for (;;) {
      const token = sessionStorage.getItem(TOKEN);
      const response = await send(path, options, token);
      if (response.ok) return response;
      if (response.status !== 401) throw await problem(response);
      if (sessionStorage.getItem(TOKEN) !== token) continue; // another request brought a newer one
      sessionStorage.removeItem(TOKEN);
      const fresh = await freshToken(token !== null);
      if (fresh === null) throw await problem(response);
      sessionStorage.setItem(TOKEN, fresh);
    }
  }

  /**
   * @param {string} path
   * @param {RequestInit} [options]
   */
  async function json(path, options) {
    const response = await request(path, options);
    try {
      return await response.json();
    } catch {
      throw new Problem(0, "The reply broke off");
    }
  }

  return {
    /**
     * @param {string} question
     * @param {string | null} collection null: the server's default
     * @returns {Promise<Reply>}
     */
    ask: (question, collection) =>
      json("v1/ask", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(collection === null ? { question } : { question, collection }),
      }),

    /**
     * @param {string | null} cursor
     * @param {string} words that a document's name or title must have
     * @returns {Promise<Listing>}
     */
    documents: (cursor, words) =>
      json(`v1/documents?${new URLSearchParams({ limit: "100", ...(words && { q: words }), ...(cursor && { cursor }) })}`),

    /**
     * @param {string} id
     * @returns {Promise<DocumentRecord>}
     */
    document: (id) => json(`v1/documents/${encodeURIComponent(id)}`),

    /**
     * The document's text. Decoded here because Response.text() would swallow a leading U+FEFF
     * that belongs to the text, and shift every offset.
     * @param {string} id
     */
    text: async (id) => {
      const response = await request(`v1/documents/${encodeURIComponent(id)}/text`);
      return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await response.arrayBuffer());
    },

    /** @returns {Promise<{ documents?: number }>} */
    status: () => json("v1/status"),

    /** @returns {Promise<{ collections: { name: string }[] }>} */
    collections: () => json("v1/collections"),

    /**
     * @param {File} file
     * @param {string | null} collection
     */
    upload: (file, collection) => {
      const body = new FormData();
      body.append("files", file);
      if (collection) body.append("collection", collection);
      return json("v1/documents", { method: "POST", body });
    },

    /**
     * @param {string} id
     * @param {boolean} keepalive whether the request outlives the page
     */
    remove: (id, keepalive) => request(`v1/documents/${encodeURIComponent(id)}`, { method: "DELETE", keepalive }),
  };
}

/** @typedef {ReturnType<typeof connect>} Api */

/**
 * @param {string} path
 * @param {RequestInit} options
 * @param {string | null} token
 */
async function send(path, options, token) {
  const headers = new Headers(options.headers);
  if (token !== null) headers.set("Authorization", `Bearer ${token}`);
  try {
    return await fetch(path, { ...options, headers, cache: "no-store" });
  } catch {
    throw new Problem(0, "The server can't be reached");
  }
}

/** @param {Response} response */
async function problem(response) {
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  const retryAfter = Number.isNaN(seconds) ? null : seconds;
  const { title, detail, results } = await response.json().catch(() => ({}));
  const found = new Problem(
    response.status,
    typeof title === "string" ? title : `The server answered ${response.status}`,
    typeof detail === "string" ? detail : "",
    retryAfter,
  );
  return Object.assign(found, { results });
}

/** @param {unknown} error */
export function asProblem(error) {
  if (error instanceof Problem) return error;
  console.error(error);
  return new Problem(-1, "This page could not show the reply", "Reload the page, then ask again.");
}
