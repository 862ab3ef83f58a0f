package dev.edgesr.demo.logic;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;

import edgesr.runtime.ProgramInfo;
import edgesr.runtime.Route;
import java.nio.charset.StandardCharsets;
import org.junit.Test;

public final class QualityTest {
    private static final String FINGERPRINT = String.format("%064d", 0);
    private static final double BUSY = 60;
    private static final double MIDDLE = 20;
    private static final double PLAIN = 6;
    private static final double SKY = 1;

    private static ProgramInfo info(String variants, String routing) throws Exception {
        String json = "{'schema':'1.1','edgesr':'0.1.0','network':'plain','scale':2,'pixel_range':255,'tile':64,"
                + "'halo':4,'variants':" + variants + ",'routing':" + routing + ",'colour':'rgb','layers':[],"
                + "'calibration':{'method':'minmax','images':1,'fingerprint':'" + FINGERPRINT + "','seed':0}}";
        return ProgramInfo.fromJson(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8), "test");
    }

    private static int rung(Quality quality, ProgramInfo info, double complexity) {
        return quality.route(info).rung(0, complexity);
    }

    @Test
    public void severalVariants() throws Exception {
        ProgramInfo info = info("['low','mid','high']", "{'low':10,'high':30}");
        assertEquals(1, rung(Quality.AUTO, info, PLAIN));
        assertEquals(2, rung(Quality.AUTO, info, MIDDLE));
        assertEquals(3, rung(Quality.AUTO, info, BUSY));
        assertEquals(1, rung(Quality.FAST, info, BUSY));
        assertEquals(0, rung(Quality.FAST, info, SKY));
        assertEquals(3, rung(Quality.BEST, info, SKY));
    }

    @Test
    public void oneVariant() throws Exception {
        ProgramInfo info = info("['serving_default']", "null");
        assertEquals(1, rung(Quality.AUTO, info, SKY));
        assertEquals(1, rung(Quality.FAST, info, BUSY));
        assertEquals(0, rung(Quality.FAST, info, SKY));
        assertEquals(1, rung(Quality.BEST, info, SKY));
    }

    @Test
    public void theBestAsksNoTileWhatItHolds() throws Exception {
        Route best = Quality.BEST.route(info("['serving_default']", "null"));
        assertFalse(best.readsComplexity());
    }
}
