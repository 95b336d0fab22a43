/** The lab itself: that faults are what they say, and that it leaves nothing behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommand } from '../../deploy/local/command.js';
import { listRunFolders } from '../../deploy/local/daemons.js';
import { CHECKOUT } from '../../deploy/local/layout.js';
import { startLab } from '../lab/boot.js';
import { describeWithLab } from '../lab/describe-with-lab.js';
import type { Lab } from '../lab/lab.js';
import type { LabState } from '../lab/lab-state.js';
import { removeForsakenLabs } from '../lab/remains.js';
import { Scenario } from '../lab/scenario.js';
import { eventually } from '../fixtures/eventually.js';

const SMALL = { hosts: 2, managers: 1, etcds: 1 } as const;

describeWithLab('a lab', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab(SMALL);
  });
  afterAll(() => lab.dispose());

  const reaches = async (from: string, to: string): Promise<boolean> => {
    const ping = ['busybox', 'ping', '-c', '1', '-W', '1', lab.member(to).machine.address];
    return lab
      .member(from)
      .machine.run(ping)
      .then(
        () => true,
        () => false,
      );
  };

  it('cuts a machine off from another one and from nobody else, and mends that', async () => {
    expect(await reaches('h1', 'h2')).toBe(true);
    await lab.host('h1').cut(['h2']);
    expect(await reaches('h1', 'h2')).toBe(false);
    expect(await reaches('h2', 'h1')).toBe(false);
    expect(await reaches('h1', 'm1')).toBe(true);
    await lab.host('h1').mend();
    expect(await reaches('h1', 'h2')).toBe(true);
  });

  it.each(['in', 'out'] as const)(
    'lets no answer through a wire that is dead one way (%s)',
    async (way) => {
      await lab.host('h2').cut(undefined, way);
      expect(await reaches('h1', 'h2')).toBe(false);
      expect(await reaches('h2', 'm1')).toBe(false);
      await lab.heal();
      expect(await reaches('h1', 'h2')).toBe(true);
    },
  );

  it('ends everything on a machine that loses power, and keeps its disk', async () => {
    const scenario = new Scenario(lab);
    await scenario.apply('web', { replicas: 4 });
    const containers = (await scenario.runningOn('h1')).map(({ id }) => id);
    expect(containers.length).toBeGreaterThan(0);
    expect(containers.every((id) => processesOf(id).length > 0)).toBe(true);
    await lab.host('h1').powerOff();
    expect(containers.flatMap(processesOf)).toEqual([]);
    await lab.heal();
    await lab.assertWhole();
    await scenario.cleanUp();
  });

  it('is removed by the next one when its process was killed', async () => {
    const script = `
      await import('reflect-metadata');
      const { startLab } = await import('./test/lab/boot.ts');
      const lab = await startLab(${JSON.stringify(SMALL)});
      console.log(lab.folder);
      setInterval(() => undefined, 1_000);`;
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', script],
      { cwd: CHECKOUT, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [words] = (await once(child.stdout, 'data')) as [Buffer];
    const folder = words.toString().trim();
    const state = JSON.parse(readFileSync(join(folder, 'lab.json'), 'utf8')) as LabState;
    child.kill('SIGKILL');
    await eventually('end of its machines', async () => !(await listRunFolders()).has(folder));
    expect(existsSync(folder)).toBe(true);
    expect(await removeForsakenLabs()).toBeGreaterThan(0);
    expect(existsSync(folder)).toBe(false);
    expect(await runCommand('ip', ['-brief', 'link'])).not.toContain(`swk${state.id}`);
    expect(cgroupsOf(state.id)).toEqual([]);
    expect(await lab.flaws()).toEqual([]); // of a lab that lives nothing was touched
  });
});

/** Processes in the control group of a container. */
const processesOf = (container: string): readonly string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(container);
    } catch {
      return false;
    }
  });

const cgroupsOf = (id: string): readonly string[] =>
  readdirSync('/sys/fs/cgroup').filter((name) =>
    existsSync(join('/sys/fs/cgroup', name, 'swarmkeeper-lab', id)),
  );
