package dev.edgesr.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;

import android.content.Context;
import androidx.test.ext.junit.runners.AndroidJUnit4;
import androidx.test.platform.app.InstrumentationRegistry;
import edgesr.runtime.Cancellation;
import java.util.List;
import org.junit.Test;
import org.junit.runner.RunWith;

/** The bench screen's comparison on a real Android. */
@RunWith(AndroidJUnit4.class)
public final class BenchTest {
    @Test
    public void everyProgramGivesTheGoldenPictures() throws Exception {
        Context context = InstrumentationRegistry.getInstrumentation().getTargetContext();
        BenchTask task = new BenchTask(context, new Session(context.getCacheDir()));
        List<BenchRow> rows = task.rows((done, total) -> { }, new Cancellation());
        assertFalse(rows.isEmpty());
        for (BenchRow row : rows) {
            assertEquals(row.program + " " + row.picture, 0, row.outcome.difference.values);
            assertFalse(row.outcome.difference.sizes);
        }
    }
}
