/** What the page's modules pass to each other; for editors and readers, never served. */

/** Offsets are in code points of the document's text, half open. */
interface Citation {
  document_id: string;
  source: string;
  title: string;
  date: string | null;
  sha256: string;
  text_sha256: string;
  page: number | null;
  page_label: string | null;
  heading: string[];
  paragraph: number;
  paragraph_end: number;
  start: number;
  end: number;
  quote: string;
  sentence_start: number | null;
  sentence_end: number | null;
}

interface Answer {
  text: string;
  sentence: string;
  confidence: number | null;
  citation: Citation;
  also_in: Citation[];
}

interface Passage {
  rank: number;
  text: string;
  citation: Citation;
  also_in: Citation[];
}

interface Reply {
  question: string;
  answered: boolean;
  answers: Answer[];
  reason: string | null;
  rewritten: string | null;
  passages: Passage[];
  index: { generation: number };
  took_ms: { total: number };
}

interface DocumentRecord {
  document_id: string;
  source: string;
  title: string;
  collection: string;
  paragraphs: number;
  date: string | null;
  bytes: number | null;
  sha256: string;
  text_sha256: string;
}

interface Outcome {
  source: string;
  status: "added" | "replaced" | "moved" | "unchanged" | "refused";
  document_id: string | null;
  reason: string | null;
  note: string | null;
}

/** An upload that takes a while; `detail` says why it failed. */
interface Job {
  id: string;
  state: "waiting" | "running" | "done" | "cancelled" | "failed";
  passages_encoded: number;
  results: Outcome[];
  detail: string | null;
}

/** How a question is narrowed, as the form's fields and a link's parts name it; what is absent doesn't. */
type Scope = Partial<Record<"c" | "folder" | "type" | "since" | "until", string>>;

/** What a tab keeps of a question that was answered; `said` tells which answers were judged. */
interface Entry {
  question: string;
  scope: Scope;
  reply: Reply;
  said: boolean[];
}

interface Question {
  question: string;
  collection: string;
  filters?: { folders: string[]; types: string[]; date_from: string | null; date_to: string | null };
  history?: { question: string; answer: string | null }[];
}

interface Verdict {
  question: string;
  collection: string;
  citation: Citation | null;
  verdict: "right" | "wrong";
  expected?: string | null;
}

interface Overview {
  name: string;
  folders: { folder: string; documents: number }[];
  types: { type: string; documents: number }[];
  date_from: string | null;
  date_to: string | null;
}

/** Each rejects with a Problem; `collection` null is the server's default. */
interface Api {
  ask(question: Question, signal: AbortSignal): Promise<Reply>;
  feedback(verdict: Verdict): Promise<{ id: string }>;
  documents(
    cursor: string | null,
    words: string,
  ): Promise<{ documents: DocumentRecord[]; next: string | null }>;
  document(id: string): Promise<DocumentRecord>;
  text(id: string): Promise<string>;
  status(): Promise<{ documents: number; writable?: boolean }>;
  collections(): Promise<{ collections: { name: string }[] }>;
  collection(name: string): Promise<Overview>;
  upload(file: File, collection: string | null, saw: (job: Job) => void): Promise<{ results: Outcome[] }>;
  remove(id: string, keepalive: boolean): Promise<Response>;
}

/** What a source is opened at: a citation, a document, or what a link says of one. */
type Target = Citation | DocumentRecord | Pick<Citation, "document_id" | "text_sha256" | "start" | "end">;

/** In UTF-16 units: words from `start` to `end`, and what parts it from the next up to `next`. */
interface Paragraph {
  number: number;
  start: number;
  end: number;
  next: number;
}
