package dev.edgesr.demo;

import android.content.Context;
import android.content.res.Resources;
import dev.edgesr.demo.logic.Difference;
import dev.edgesr.demo.logic.Figures;
import dev.edgesr.demo.logic.Numbers;
import dev.edgesr.demo.logic.WorkState;
import edgesr.runtime.Route;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Says in the user's language how the work is and what it cost. */
final class Wording {
    /** What a program calls its variant where it has just one. */
    private static final String ONLY_VARIANT = "serving_default";

    private final Context context;
    private final Resources resources;
    private final Numbers numbers = new Numbers(Locale.getDefault());

    Wording(Context context) {
        this.context = context;
        resources = context.getResources();
    }

    String of(WorkState work, Session session) {
        switch (work.phase) {
            case RUNNING:
                return running(work);
            case CANCELLED:
                return context.getString(R.string.cancelled);
            case FAILED:
                return context.getString(R.string.failed, work.failure);
            default:
                return work.kind == WorkState.Kind.SAVE ? context.getString(R.string.saved) : atRest(session);
        }
    }

    private String running(WorkState work) {
        switch (work.kind) {
            case UPSCALE:
                return work.total == 0
                        ? context.getString(R.string.preparing)
                        : resources.getQuantityString(R.plurals.tiles_done, work.total, work.done, work.total);
            case SAVE:
                return context.getString(R.string.saving);
            case BENCH:
                return context.getString(R.string.comparing);
            default:
                return context.getString(R.string.opening);
        }
    }

    private String atRest(Session session) {
        if (session.photo() == null) {
            return context.getString(R.string.welcome);
        }
        if (session.figures() != null) {
            return figures(session.figures());
        }
        return context.getString(
                R.string.photo_size, numbers.whole(session.photo().width), numbers.whole(session.photo().height));
    }

    private String figures(Figures figures) {
        return context.getString(
                R.string.figures,
                numbers.milliseconds(figures.nanoseconds),
                numbers.megapixels(figures.pixels),
                numbers.tenths(figures.megapixelsPerSecond()),
                numbers.tiles(named(figures.tiles)),
                numbers.mebibytes(figures.peakBytes));
    }

    /** Routes as the user knows them; low, mid and high are called so in the metadata too. */
    private Map<String, Integer> named(Map<String, Integer> tiles) {
        Map<String, Integer> named = new LinkedHashMap<>();
        for (Map.Entry<String, Integer> route : tiles.entrySet()) {
            named.put(name(route.getKey()), route.getValue());
        }
        return named;
    }

    private String name(String route) {
        if (route.equals(Route.SKIP)) {
            return context.getString(R.string.route_skip);
        }
        return route.equals(ONLY_VARIANT) ? context.getString(R.string.route_only) : route;
    }

    String outcome(BenchRow row) {
        Difference difference = row.outcome.difference;
        String time = numbers.milliseconds(row.outcome.nanoseconds);
        if (difference.isNone()) {
            return context.getString(R.string.bench_pass, time);
        }
        if (difference.sizes) {
            return context.getString(R.string.bench_size, time);
        }
        return resources.getQuantityString(
                R.plurals.bench_differs, difference.values, numbers.whole(difference.values), difference.largest,
                time);
    }
}
