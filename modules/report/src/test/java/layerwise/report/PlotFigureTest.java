package layerwise.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/** The image of a plot, as XML and by what stands where. */
class PlotFigureTest {
    @TempDir
    Path folder;

    @Test
    void isOneImageThatThePageShowsToo() throws IOException, SAXException, ParserConfigurationException {
        Document image =
                plot(SweptTrace.decode(1, 100_000, 4096, 200_000), SweptTrace.decode(1, 300_000, 4096, 90_000));
        assertEquals("http://www.w3.org/2000/svg", image.getDocumentElement().getAttribute("xmlns"));
        String svg = Files.readString(folder.resolve("p.svg")).strip();
        String html = Files.readString(folder.resolve("p.html"));
        assertTrue(html.contains(svg));
        assertFalse(svg.contains("<script") || svg.contains("href") || svg.contains("url("), svg);
        assertFalse(html.replace("http://www.w3.org/2000/svg", "").contains("http"), "nothing from the network");
        assertTrue(texts(image).containsAll(List.of("time (µs)", "seq_len_kv_cache (tokens; 1k = 1024)", "limit")));
        assertTrue(titles(image).contains("b\nseq_len_kv_cache 4096: 90.0 us\nlimit 45.0 us, 50.0 %"));
    }

    @Test
    void escapesNames() throws IOException, SAXException, ParserConfigurationException {
        Path trace = SweptTrace.decode(1, 100_000, 4096, 200_000)
                .module("<b>&\"MLA\"'")
                .write(folder.resolve("<i>&.sqlite"));
        ProgramRun run = ProgramRun.of(
                "plot",
                "--module=<b>&\"MLA\"'",
                "--over=seq_len_kv_cache",
                "--output-file",
                "" + folder.resolve("p"),
                "" + trace);
        assertEquals(0, run.status(), run.err());
        assertTrue(texts(image()).containsAll(List.of("<b>&\"MLA\"' over seq_len_kv_cache", "<i>&")));
        assertFalse(Files.readString(folder.resolve("p.html")).contains("<b>"));
    }

    /** Where lines cross on the image, there the mark is, on linear axes as well. */
    @Test
    void marksTheCrossingOnBothCurves() throws IOException, SAXException, ParserConfigurationException {
        Document image = plot(SweptTrace.decode(1, 400_000, 8, 100_000), SweptTrace.decode(1, 100_000, 8, 200_000));
        Element ring = all(image, "circle").stream()
                .filter(circle -> circle.getAttribute("r").equals("7.0"))
                .findFirst()
                .orElseThrow();
        List<Element> curves = all(image, "polyline").stream()
                .filter(line -> line.getAttribute("stroke-width").equals("2"))
                .toList();
        assertEquals(2, curves.size());
        for (Element curve : curves) {
            double y = height(curve, Double.parseDouble(ring.getAttribute("cx")));
            assertEquals(Double.parseDouble(ring.getAttribute("cy")), y, 1.5);
        }
    }

    /** Eight crossings close to each other: their labels stand in rows, beside all lines. */
    @Test
    void labelsOfCrossingsStandApart() throws IOException, SAXException, ParserConfigurationException {
        SweptTrace a = new SweptTrace();
        SweptTrace b = new SweptTrace();
        for (int batch = 1; batch <= 8; batch++) {
            a.add(batch, 1, 1024, 100_000, 50_000).add(batch, 1, 65536, 100_000, 50_000);
            b.add(batch, 1, 1024, 300_000, 50_000).add(batch, 1, 65536, 99_000 - 9000L * batch, 20_000);
        }
        Document image = plot(a, b);
        List<Element> labels = all(image, "text").stream()
                .filter(text -> text.getTextContent().contains(" at batch_size "))
                .toList();
        List<Element> lines = all(image, "line").stream()
                .filter(line -> line.getAttribute("stroke-dasharray").equals("1 3"))
                .toList();
        assertEquals(List.of(8, 8), List.of(labels.size(), lines.size()));
        for (Element label : labels) {
            double right = number(label, "x");
            double left = right - 7 * label.getTextContent().length();
            double y = number(label, "y");
            assertTrue(left > 0 && y > 60, label.getTextContent());
            assertEquals(
                    1, labels.stream().filter(other -> number(other, "y") == y).count());
            assertTrue(
                    lines.stream()
                            .noneMatch(line ->
                                    number(line, "y1") < y && number(line, "x1") > left && number(line, "x1") <= right),
                    label.getTextContent());
        }
    }

    private static double number(Element element, String attribute) {
        return Double.parseDouble(element.getAttribute(attribute));
    }

    /** Where a line is at this x. */
    private static double height(Element line, double x) {
        String[] places = line.getAttribute("points").split(" ");
        for (int i = 1; i < places.length; i++) {
            double[] from = place(places[i - 1]);
            double[] to = place(places[i]);
            if (x >= from[0] && x <= to[0]) {
                return from[1] + (to[1] - from[1]) * (x - from[0]) / (to[0] - from[0]);
            }
        }
        throw new AssertionError("the line ends before " + x);
    }

    private static double[] place(String text) {
        String[] parts = text.split(",");
        return new double[] {Double.parseDouble(parts[0]), Double.parseDouble(parts[1])};
    }

    private Document plot(SweptTrace a, SweptTrace b) throws IOException, SAXException, ParserConfigurationException {
        ProgramRun run = ProgramRun.of(
                "plot",
                "--module=MLA",
                "--over=seq_len_kv_cache",
                "--output-file=" + folder.resolve("p"),
                "" + a.write(folder.resolve("a.sqlite")),
                "" + b.write(folder.resolve("b.sqlite")));
        assertEquals(0, run.status(), run.err());
        return image();
    }

    private Document image() throws IOException, SAXException, ParserConfigurationException {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new InputSource(new StringReader(Files.readString(folder.resolve("p.svg")))));
    }

    private static List<String> texts(Document image) {
        return all(image, "text").stream().map(Element::getTextContent).toList();
    }

    private static List<String> titles(Document image) {
        return all(image, "title").stream().map(Element::getTextContent).toList();
    }

    private static List<Element> all(Document image, String name) {
        NodeList found = image.getElementsByTagName(name);
        List<Element> elements = new ArrayList<>();
        for (int i = 0; i < found.getLength(); i++) {
            elements.add((Element) found.item(i));
        }
        return elements;
    }
}
