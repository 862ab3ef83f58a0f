package dev.edgesr.demo.logic;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import org.junit.Test;

public final class ViewportTest {
    private static final float EXACT = 1e-3f;

    private static Viewport wide() {
        Viewport viewport = new Viewport(400, 200);
        viewport.resize(200, 200);
        return viewport;
    }

    @Test
    public void theWholePictureStandsInTheMiddle() {
        Viewport viewport = wide();
        assertEquals(0.5f, viewport.scale(), EXACT);
        assertEquals(0, viewport.left(), EXACT);
        assertEquals(50, viewport.top(), EXACT);
        assertArrayEquals(new int[] {0, 0, 400, 200}, viewport.visible());
        assertFalse(viewport.isZoomed());
    }

    @Test
    public void zoomingKeepsThePointUnderTheFinger() {
        Viewport viewport = wide();
        float x = (120 - viewport.left()) / viewport.scale();
        viewport.zoom(4, 120, 100);
        assertEquals(2, viewport.scale(), EXACT);
        assertEquals(x, (120 - viewport.left()) / viewport.scale(), EXACT);
        assertTrue(viewport.isZoomed());
    }

    @Test
    public void zoomHasEnds() {
        Viewport viewport = wide();
        viewport.zoom(1e6f, 100, 100);
        assertEquals(8, viewport.scale(), EXACT);
        viewport.zoom(1e-6f, 100, 100);
        assertArrayEquals(new int[] {0, 0, 400, 200}, viewport.visible());
        viewport.zoom(3, 10, 10);
        viewport.showAll();
        assertFalse(viewport.isZoomed());
    }

    @Test
    public void aPictureIsNeverPannedOutOfSight() {
        Viewport viewport = wide();
        viewport.zoom(8, 0, 100);
        viewport.pan(1e5f, -1e5f);
        int[] seen = viewport.visible();
        assertEquals(0, seen[0]);
        assertEquals(200, seen[3]);
    }

    @Test
    public void theDividerCrossesThePictureAndNotTheEdgesBesideIt() {
        Viewport viewport = new Viewport(100, 200);
        viewport.resize(200, 200); // 50 pixels of nothing on both sides
        assertEquals(100, viewport.dividerX(), EXACT);
        viewport.dragDividerTo(0);
        assertEquals(50, viewport.dividerX(), EXACT);
        viewport.dragDividerTo(125);
        assertEquals(0.75f, viewport.divider(), EXACT);
        assertTrue(viewport.grabsDivider(130, 10));
        assertFalse(viewport.grabsDivider(140, 10));
        viewport.setDivider(7);
        assertEquals(150, viewport.dividerX(), EXACT);
    }

    @Test
    public void samplingIsTheCoarsestThatIsFineEnough() {
        assertEquals(1, Viewport.sampling(2));
        assertEquals(1, Viewport.sampling(0.6f));
        assertEquals(2, Viewport.sampling(0.5f));
        assertEquals(4, Viewport.sampling(0.2f));
    }

    @Test
    public void aViewWithoutASizeIsNoError() {
        Viewport viewport = new Viewport(5, 5);
        viewport.resize(0, 0);
        int[] seen = viewport.visible();
        assertTrue(seen[2] > seen[0] && seen[3] > seen[1]);
    }
}
