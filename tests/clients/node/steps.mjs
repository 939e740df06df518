// What every program here shares: `node openai.mjs <step> '<options as JSON>'` runs one step and
// prints what it yields, a line of JSON each; an error becomes the last line.

const print = (value) => process.stdout.write(JSON.stringify(value) + "\n");

// Packages that talk to the console must not get between our lines.
console.log = console.error;

export async function run(steps) {
  const [name, options] = process.argv.slice(2);
  try {
    for await (const value of steps[name](JSON.parse(options))) print(value);
  } catch (error) {
    print({ error: error.constructor.name, message: error.message, status: error.status });
  }
}
