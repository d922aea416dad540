/** What a load is compared with: csv-parse reads a file and gives out its rows, and nobody does anything with them. `node bare-parse.js FILE [gzip]` */
import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { parse } from "csv-parse";

const [file = "", gzip] = process.argv.slice(2);
const source = createReadStream(file);
const rows = (gzip === undefined ? source : source.pipe(createGunzip())).pipe(parse());
let count = 0;
rows.on("data", () => count++);
rows.on("end", () => process.stdout.write(`${count}\n`));
