import type { BootState } from "../boot/boot.ts";
import { bootSentence } from "../model/home-state.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Mark } from "../parts/mark.tsx";

/** The homeserver cannot run in this tab as it is: why, and the one thing that helps. */
export function BootFailed({ boot }: { boot: BootState }) {
  return (
    <main className="stage">
      <section className="card card-centred" role="alert">
        <Mark size={56} />
        <h1 className="card-title" data-testid="home-state" data-phase={boot.phase}>
          {bootSentence(boot)}
        </h1>
        {boot.detail && <p className="card-text">{boot.detail}</p>}
        <ActionButton look="primary" onPress={() => location.reload()}>
          Reload
        </ActionButton>
      </section>
    </main>
  );
}
