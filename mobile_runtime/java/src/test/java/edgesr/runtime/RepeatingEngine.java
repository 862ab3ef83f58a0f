package edgesr.runtime;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/** Enlarges by repeating pixels, each variant {@code 2 * i} levels darker than the last; fails when told to. */
final class RepeatingEngine implements Engine {
    final List<String> runs = new ArrayList<>();
    int failAt = -1;
    private final ProgramInfo info;

    RepeatingEngine(ProgramInfo info) {
        this.info = info;
    }

    @Override
    public List<String> variants() {
        return info.variants;
    }

    @Override
    public void run(String variant, FloatBuffer in, FloatBuffer out) throws EdgesrException {
        if (runs.size() == failAt) {
            failAt = -1;
            throw new EdgesrException("the engine fails");
        }
        runs.add(variant);
        int darker = 2 * (info.variants.size() - 1 - info.variants.indexOf(variant));
        int side = info.tile * info.scale;
        for (int i = 0; i < 3 * side * side; i++) {
            int y = i / (3 * side) / info.scale;
            int x = i % (3 * side) / 3 / info.scale;
            out.put(i, in.get(3 * (y * info.tile + x) + i % 3) - darker);
        }
    }

    @Override
    public void close() {
        runs.clear();
    }
}
