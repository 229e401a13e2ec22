import { Application, Logger, LogLevel, TSConfigReader, TypeDocReader } from 'typedoc';
import { expect, it } from 'vitest';

class Collector extends Logger {
  readonly warnings: string[] = [];

  override log(message: string, level: LogLevel): void {
    if (level >= LogLevel.Warn) this.warnings.push(message);
  }
}

it('the API reference builds without a warning: every public name is documented, every link leads somewhere', async () => {
  const application = await Application.bootstrapWithPlugins({}, [new TypeDocReader(), new TSConfigReader()]);
  const collector = new Collector();
  application.logger = collector;
  const project = await application.convert();
  expect(project?.children?.length).toBeGreaterThan(0);
  application.validate(project!);
  expect(collector.warnings).toEqual([]);
});
