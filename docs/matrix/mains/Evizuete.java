// Its own AudioServer, which takes one call and ends; begun again for each. java … Evizuete PORT
import es.voiping.hass.AudioServer;

public class Evizuete {
    public static void main(String[] words) {
        while (true) new AudioServer().start(Integer.parseInt(words[0]));
    }
}
