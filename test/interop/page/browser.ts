/** Debian's Chromium, headless, and a page of it whose every complaint is kept. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { TemporaryDirectory } from "../../support/temp_dir.ts";

const CHROMIUM = "/usr/bin/chromium";

export function chromiumInstalled(): boolean {
  return existsSync(CHROMIUM);
}

export class TestBrowser {
  readonly #browser: Browser;
  readonly #directory: TemporaryDirectory;

  private constructor(browser: Browser, directory: TemporaryDirectory) {
    this.#browser = browser;
    this.#directory = directory;
  }

  static async start(): Promise<TestBrowser> {
    const directory = new TemporaryDirectory("chromium");
    const browser = await puppeteer.launch({
      executablePath: CHROMIUM,
      userDataDir: directory.path,
      env: { ...process.env, TZ: "UTC", LANG: "C.UTF-8" },
      args: [
        // A sandbox for root there is none.
        ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--force-color-profile=srgb",
        "--disable-lcd-text",
        // Names of the outside world lead nowhere.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
      ],
    });
    return new TestBrowser(browser, directory);
  }

  async open(url: string, size = { width: 1240, height: 780 }): Promise<TestPage> {
    const context = await this.#browser.createBrowserContext();
    const page = await context.newPage();
    await page.setViewport({ ...size, deviceScaleFactor: 1 });
    const opened = new TestPage(page, new URL(url).origin);
    await page.goto(url, { waitUntil: "domcontentloaded" });
    return opened;
  }

  async end(): Promise<void> {
    await this.#browser.close();
    this.#directory.remove();
  }
}

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly targets: readonly string[];
  readonly reason: string;
}

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export class TestPage {
  readonly page: Page;
  /** Errors of the console, exceptions, and requests to elsewhere. */
  readonly complaints: string[] = [];
  /** What the console says while a server is away is no fault of the page. */
  serverIsAway = false;

  constructor(page: Page, origin: string) {
    this.page = page;
    page.on("console", (message) => {
      const isError = message.type() === "error" || message.type() === "warn";
      const isNetwork = /Failed to load resource|net::ERR_/.test(message.text());
      if (isError && !(this.serverIsAway && isNetwork)) this.complaints.push(message.text());
    });
    page.on("pageerror", (error) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.complaints.push(text);
    });
    page.on("request", (request) => {
      const url = request.url();
      // The browser's own controls have pictures of their own.
      const inside = url.startsWith(`${origin}/`) || url.startsWith("data:");
      if (!inside) this.complaints.push(`asked ${url}`);
    });
  }

  async text(selector: string): Promise<string> {
    const shown = `document.querySelector(${JSON.stringify(selector)}).innerText`;
    return String(await this.page.evaluate(shown));
  }

  /** Waits until the text of an element contains that. */
  async says(selector: string, part: string, timeoutMs = 10_000): Promise<void> {
    await this.page
      .waitForFunction(
        `document.querySelector(${JSON.stringify(selector)})?.innerText.includes(${JSON.stringify(part)})`,
        { timeout: timeoutMs, polling: 25 },
      )
      .catch(async (error: unknown) => {
        const said = await this.text(selector).catch(() => "(no such element)");
        throw new Error(`expected ${selector} to say "${part}", it says "${said}": ${error}`);
      });
  }

  async ready(): Promise<void> {
    await this.says("#connection", "live");
    await this.page.waitForSelector("#entries li", { timeout: 10_000 });
  }

  async press(selector: string): Promise<void> {
    // Not below one of the bars that stay where they are.
    await this.page.waitForSelector(selector);
    const found = `document.querySelector(${JSON.stringify(selector)})`;
    await this.page.evaluate(`${found}.scrollIntoView({ block: "center" })`);
    await this.page.click(selector);
  }

  /** Serious and critical ones of axe-core. */
  async violations(): Promise<readonly Violation[]> {
    await this.page.evaluate(AXE);
    return (await this.page.evaluate(`axe.run(document, { resultTypes: ["violations"] }).then(
      ({ violations }) => violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, impact, nodes }) => ({
          id, impact,
          targets: nodes.slice(0, 5).map(({ target }) => String(target)),
          reason: nodes[0]?.failureSummary ?? "",
        })))`)) as readonly Violation[];
  }

  /** What has the focus, in a few words. */
  async focused(): Promise<string> {
    return (await this.page.evaluate(`(() => {
      const { activeElement: at } = document;
      const own = at?.getAttribute("aria-label") ?? at?.innerText ?? "";
      return [at?.tagName.toLowerCase() ?? "", at?.id ?? "", own.split("\\n").join(" ").slice(0, 60)].join("|");
    })()`)) as string;
  }

  async close(): Promise<void> {
    await this.page.close();
  }
}
